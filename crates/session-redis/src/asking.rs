//! `Asking`: how a store gets an answer, in time or not at all.

use std::time::Duration;

use redis::{
    FromRedisValue, RedisError, Script, ToRedisArgs, Value,
    aio::{ConnectionLike as _, ConnectionManager},
};
use session_core::store::StoreError;
use tokio::time::timeout;

use crate::{connection::Connection, error::TimedOut};

/// What asking needs.
pub(crate) struct Asking {
    pub(crate) connection: Connection,
    pub(crate) prefix: String,
    pub(crate) timeout: Duration,
}

impl Asking {
    /// A script runs to its end or not at all, so a caller who goes away leaves nothing half done.
    pub(crate) async fn ask<T: FromRedisValue>(
        &self,
        script: &Script,
        arguments: impl ToRedisArgs,
    ) -> Result<T, StoreError> {
        let mut call = script.key(&self.prefix);
        call.arg(&self.prefix).arg(arguments);
        let call = &call;
        self.answered(|mut manager| async move { call.invoke_async(&mut manager).await })
            .await
    }

    /// Values of a hash on a primary, in one message and without a script, which the server would run
    /// for longer than it takes to look.
    ///
    /// A write that changes nothing goes before, and a replica refuses it. A server that becomes one
    /// between the two still has what it had as a primary, so no revocation is missing that was
    /// acknowledged before the question was asked (security H6). A transaction in the server's sense
    /// would be refused when its memory is full.
    pub(crate) async fn fields(
        &self,
        key: &str,
        fields: &[&str],
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let mut both = redis::Pipeline::with_capacity(2);
        both.cmd("DEL").arg(format!("{}nothing", self.prefix));
        both.cmd("HMGET").arg(key).arg(fields);
        let both = &both;
        self.answered(|mut manager| async move {
            let answers = manager.req_packed_commands(both, 0, 2).await?;
            let mut values = Value::Nil;
            // The first refusal says where to ask instead.
            for answer in answers {
                values = answer.extract_error()?;
            }
            Ok(redis::from_redis_value(values)?)
        })
        .await
    }

    /// The answer to whatever is asked on the connection, of the node that has the keys.
    pub(crate) async fn answered<T, F: Future<Output = Result<T, RedisError>>>(
        &self,
        ask: impl Fn(ConnectionManager) -> F,
    ) -> Result<T, StoreError> {
        let mut line = self.connection.line();
        let asked = async {
            for _ in 0..MOST_REDIRECTIONS {
                match ask(line.manager.clone()).await {
                    Err(error) if self.connection.follow(&line, &error) => {
                        line = self.connection.line();
                    }
                    answer => return answer,
                }
            }
            ask(line.manager.clone()).await
        };
        match timeout(self.timeout, asked).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                self.connection.has_failed(&line, &error);
                Err(StoreError::Unavailable(Box::new(error)))
            }
            Err(_) => {
                self.connection.replace(&line);
                Err(StoreError::Unavailable(Box::new(TimedOut)))
            }
        }
    }
}

/// One leads to the node that has the keys, and a second one where they moved meanwhile.
const MOST_REDIRECTIONS: usize = 2;
