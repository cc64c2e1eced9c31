//! Values that go into statements and come out of rows.

use super::{DbError, DbResult};
use bytes::BytesMut;
use rusqlite::types::{ToSqlOutput, ValueRef};
use std::error::Error;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

/// A parameter of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Param<'a> {
    Null,
    Int(i64),
    Bool(bool),
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// The parameters `$1`, `$2`, … of a statement.
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::db::Param::from($value)),*] };
}
pub(crate) use params;

impl From<i64> for Param<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Param<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl<'a> From<&'a str> for Param<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for Param<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a [u8]> for Param<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(value)
    }
}

impl<'a> From<&'a Vec<u8>> for Param<'a> {
    fn from(value: &'a Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl<T: Into<Self>> From<Option<T>> for Param<'_> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl rusqlite::ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(value) => ValueRef::Integer(*value),
            Self::Bool(value) => ValueRef::Integer((*value).into()),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
            Self::Bytes(value) => ValueRef::Blob(value),
        }))
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(value) => match *ty {
                Type::INT4 => i32::try_from(*value)?.to_sql(ty, out),
                _ => value.to_sql(ty, out),
            },
            Self::Bool(value) => value.to_sql(ty, out),
            // PostgreSQL's text has no null character. Documents escape it; what remains are names and ids, which
            // are looked up by the same rule.
            Self::Text(value) if value.contains('\0') => value.replace('\0', "\u{fffd}").to_sql(ty, out),
            Self::Text(value) => value.to_sql(ty, out),
            Self::Bytes(value) => value.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::INT4 | Type::BOOL | Type::TEXT | Type::BYTEA)
    }

    to_sql_checked!();
}

/// A parameter that outlives what it was made of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum OwnedParam {
    Null,
    Int(i64),
    Bool(bool),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<&Param<'_>> for OwnedParam {
    fn from(param: &Param<'_>) -> Self {
        match *param {
            Param::Null => Self::Null,
            Param::Int(value) => Self::Int(value),
            Param::Bool(value) => Self::Bool(value),
            Param::Text(value) => Self::Text(value.to_owned()),
            Param::Bytes(value) => Self::Bytes(value.to_owned()),
        }
    }
}

impl OwnedParam {
    /// The parameter as statements take it.
    pub(super) fn borrow(&self) -> Param<'_> {
        match self {
            Self::Null => Param::Null,
            Self::Int(value) => Param::Int(*value),
            Self::Bool(value) => Param::Bool(*value),
            Self::Text(value) => Param::Text(value),
            Self::Bytes(value) => Param::Bytes(value),
        }
    }
}

impl ToSql for OwnedParam {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.borrow().to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        <Param<'_> as ToSql>::accepts(ty)
    }

    to_sql_checked!();
}

/// A row of an answer.
pub(crate) enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
}

impl Row<'_> {
    pub(crate) fn text(&self, index: usize) -> DbResult<&str> {
        self.opt_text(index)?.ok_or_else(|| unexpected(index, "text"))
    }

    /// A text that is only passed on: `SQLite` does not say that it is one.
    pub(crate) fn text_bytes(&self, index: usize) -> DbResult<&[u8]> {
        match self {
            Self::Sqlite(row) => match row.get_ref(index)? {
                ValueRef::Text(bytes) => Ok(bytes),
                _ => Err(unexpected(index, "text")),
            },
            Self::Postgres(_) => self.text(index).map(str::as_bytes),
        }
    }

    pub(crate) fn opt_text(&self, index: usize) -> DbResult<Option<&str>> {
        match self {
            Self::Sqlite(row) => match row.get_ref(index)? {
                ValueRef::Null => Ok(None),
                ValueRef::Text(bytes) => {
                    std::str::from_utf8(bytes).map(Some).map_err(|_| unexpected(index, "UTF-8"))
                }
                _ => Err(unexpected(index, "text")),
            },
            Self::Postgres(row) => row.try_get(index).map_err(|_| unexpected(index, "text")),
        }
    }

    pub(crate) fn bytes(&self, index: usize) -> DbResult<&[u8]> {
        self.opt_bytes(index)?.ok_or_else(|| unexpected(index, "bytes"))
    }

    pub(crate) fn opt_bytes(&self, index: usize) -> DbResult<Option<&[u8]>> {
        match self {
            Self::Sqlite(row) => match row.get_ref(index)? {
                ValueRef::Null => Ok(None),
                ValueRef::Blob(bytes) => Ok(Some(bytes)),
                _ => Err(unexpected(index, "bytes")),
            },
            Self::Postgres(row) => row.try_get(index).map_err(|_| unexpected(index, "bytes")),
        }
    }

    pub(crate) fn int(&self, index: usize) -> DbResult<i64> {
        self.opt_int(index)?.ok_or_else(|| unexpected(index, "a number"))
    }

    pub(crate) fn opt_int(&self, index: usize) -> DbResult<Option<i64>> {
        match self {
            Self::Sqlite(row) => match row.get_ref(index)? {
                ValueRef::Null => Ok(None),
                ValueRef::Integer(value) => Ok(Some(value)),
                _ => Err(unexpected(index, "a number")),
            },
            Self::Postgres(row) => match row.columns().get(index).map(tokio_postgres::Column::type_) {
                Some(&Type::INT4) => {
                    let value: Option<i32> = row.try_get(index).map_err(|_| unexpected(index, "a number"))?;
                    Ok(value.map(i64::from))
                }
                _ => row.try_get(index).map_err(|_| unexpected(index, "a number")),
            },
        }
    }

    pub(crate) fn bool(&self, index: usize) -> DbResult<bool> {
        match self {
            Self::Sqlite(_) => Ok(self.int(index)? != 0),
            Self::Postgres(row) => row.try_get(index).map_err(|_| unexpected(index, "a truth value")),
        }
    }

    pub(crate) fn opt_bool(&self, index: usize) -> DbResult<Option<bool>> {
        match self {
            Self::Sqlite(_) => Ok(self.opt_int(index)?.map(|value| value != 0)),
            Self::Postgres(row) => row.try_get(index).map_err(|_| unexpected(index, "a truth value")),
        }
    }

    /// A number that counts or measures, and is never negative.
    pub(crate) fn size(&self, index: usize) -> DbResult<usize> {
        usize::try_from(self.int(index)?).map_err(|_| unexpected(index, "a size"))
    }
}

fn unexpected(index: usize, expected: &str) -> DbError {
    DbError::Data(format!("column {index} is not {expected}"))
}
