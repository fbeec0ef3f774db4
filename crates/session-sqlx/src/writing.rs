//! Writing: a statement that is a transaction by itself, and several that are one together.

use session_core::store::StoreError;
use sqlx::{SqlStr, Transaction};

use crate::{
    connections::{Bound, Connections, Failure, Lease},
    dialect::{Dialect, Trouble, Value},
};

impl<D: Dialect> Connections<D> {
    /// Runs statements as one transaction and returns how many rows the last one touched, which is
    /// the verdict of every race.
    pub(crate) async fn write(&self, statements: &[Bound<'_>]) -> Result<u64, StoreError> {
        self.patiently(|| async {
            let mut lease = Lease::of(&self.writer).await?;
            let done = match statements {
                [alone] if lease.commits_by_itself() => self.write_alone(&mut lease, *alone).await,
                _ => self.write_together(&mut lease, statements).await,
            };
            match lease.finished(done) {
                Err(Failure::Driver(error)) if D::judge(&error) == Trouble::Taken => Ok(0),
                outcome => outcome,
            }
        })
        .await
    }

    /// One question to the database in place of four. The statement sees what was committed before it
    /// whatever the isolation level; a stricter one than READ COMMITTED may end it in favour of
    /// another, and it is begun anew. When its answer is lost, so is what became of it.
    async fn write_alone(
        &self,
        lease: &mut Lease<D>,
        statement: Bound<'_>,
    ) -> Result<u64, Failure> {
        let (sql, values) = statement;
        let done = match D::AROUND {
            Some(around) => {
                let sql = self.names.fill_between(around, sql);
                touched_within::<D>(lease, sql, values).await
            }
            None => D::execute(lease, self.names.fill(sql), values).await,
        };
        match done {
            // Nothing was done. Either transactions only read by default, which one of ours may
            // overrule, or it cannot be begun, as the server is a replica.
            Err(error) if D::judge(&error) == Trouble::ReadOnly => {
                self.write_together(lease, &[statement]).await
            }
            done => Ok(done?),
        }
    }

    async fn write_together(
        &self,
        lease: &mut Lease<D>,
        statements: &[Bound<'_>],
    ) -> Result<u64, Failure> {
        let mut transaction = self.begin(lease).await?;
        let mut touched = 0;
        for (sql, values) in statements {
            let sql = self.names.fill(sql);
            touched = D::execute(&mut transaction, sql, values).await?;
        }
        self.commit(transaction).await?;
        Ok(touched)
    }

    pub(crate) async fn begin<'l>(
        &self,
        lease: &'l mut Lease<D>,
    ) -> Result<Transaction<'l, D>, Failure> {
        let mut transaction = lease.begin().await?;
        if let (true, Some(limit)) = (self.shared, D::LIMIT) {
            let milliseconds = self.timeout.as_millis().to_string();
            let values = [(&milliseconds).into()];
            D::fetch(&mut transaction, self.names.fill(limit), &values)
                .await
                .map_err(Failure::Unasked)?;
        }
        Ok(transaction)
    }

    pub(crate) async fn commit(
        &self,
        mut transaction: Transaction<'_, D>,
    ) -> Result<(), sqlx::Error> {
        // On connections of our own there is no limit but that of a statement, which the server ends
        // by itself before it commits.
        if let (true, Some(unlimited)) = (self.shared, D::UNLIMITED) {
            D::run(&mut transaction, self.names.fill(unlimited)).await?;
        }
        transaction.commit().await
    }
}

/// How many rows a statement touched that stands between others. After an error the transaction may
/// be open still, and the driver does not know of it: the connection is given up.
async fn touched_within<D: Dialect>(
    lease: &mut Lease<D>,
    sql: SqlStr,
    values: &[Value<'_>],
) -> Result<u64, sqlx::Error> {
    match D::fetch(lease, sql, values).await {
        Ok(rows) => {
            let touched = rows.first().map(|row| D::number(row, "touched"));
            let touched = touched.transpose()?.flatten();
            Ok(touched.map_or(0, i64::cast_unsigned))
        }
        Err(error) => {
            lease.spoil();
            Err(error)
        }
    }
}
