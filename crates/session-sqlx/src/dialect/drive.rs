//! Running statements and reading rows through the driver: the same words for every database, which
//! the compiler must be told once for each.

/// The methods of `Dialect` that run statements and read rows.
macro_rules! driven_by {
    ($database:ty) => {
        async fn fetch(
            connection: &mut Self::Connection,
            sql: sqlx::SqlStr,
            values: &[$crate::dialect::Value<'_>],
        ) -> Result<Vec<Self::Row>, sqlx::Error> {
            let query = bound(sqlx::query::<$database>(sql), values);
            query.fetch_all(connection).await
        }

        async fn fetch_once(
            connection: &mut Self::Connection,
            sql: sqlx::SqlStr,
            values: &[$crate::dialect::Value<'_>],
        ) -> Result<Vec<Self::Row>, sqlx::Error> {
            let query = bound(sqlx::query::<$database>(sql), values);
            query.persistent(false).fetch_all(connection).await
        }

        async fn execute(
            connection: &mut Self::Connection,
            sql: sqlx::SqlStr,
            values: &[$crate::dialect::Value<'_>],
        ) -> Result<u64, sqlx::Error> {
            let query = bound(sqlx::query::<$database>(sql), values);
            Ok(query.execute(connection).await?.rows_affected())
        }

        async fn run(
            connection: &mut Self::Connection,
            script: sqlx::SqlStr,
        ) -> Result<(), sqlx::Error> {
            sqlx::raw_sql(script).execute(connection).await.map(drop)
        }

        fn text(row: &Self::Row, column: &str) -> Result<Option<String>, sqlx::Error> {
            // Unchecked, as to MySQL's driver what compares byte by byte is never text.
            let text: Option<Vec<u8>> = sqlx::Row::try_get_unchecked(row, column)?;
            text.map(String::from_utf8)
                .transpose()
                .map_err(|error| sqlx::Error::Decode(Box::new(error)))
        }

        fn number(row: &Self::Row, column: &str) -> Result<Option<i64>, sqlx::Error> {
            sqlx::Row::try_get(row, column)
        }

        fn bytes(row: &Self::Row, column: &str) -> Result<Vec<u8>, sqlx::Error> {
            sqlx::Row::try_get(row, column)
        }

        fn is_null(row: &Self::Row, column: &str) -> Result<bool, sqlx::Error> {
            let value = sqlx::Row::try_get_raw(row, column)?;
            Ok(sqlx::ValueRef::is_null(&value))
        }
    };
}

/// `bound`: a query with its parameters, texts as what the database compares byte by byte.
macro_rules! binding_for {
    ($database:ty, text as $text:path) => {
        fn bound<'q>(
            query: sqlx::query::Query<'q, $database, <$database as sqlx::Database>::Arguments>,
            values: &[$crate::dialect::Value<'_>],
        ) -> sqlx::query::Query<'q, $database, <$database as sqlx::Database>::Arguments> {
            use $crate::dialect::Value;
            values.iter().fold(query, |query, value| match *value {
                Value::Text(text) => query.bind(text.map($text)),
                Value::Json(text) => query.bind(text),
                Value::Number(number) => query.bind(number),
                Value::Bytes(bytes) => query.bind(bytes),
            })
        }
    };
}

pub(crate) use {binding_for, driven_by};
