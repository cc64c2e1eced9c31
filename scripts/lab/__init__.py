"""What the trial runs (scripts/faults, scripts/soak, deploy/ha/try) have in common. Standard library only."""
