-- There is one global client. Lists without it skip it by its number, and need no index of all the others.
DROP INDEX client_not_global;
