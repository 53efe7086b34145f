use std::path::Path;

use sqlx::{Sqlite, SqlitePool};
use unanimous::{FenceTx, participant, sqlite};

/// What customers have: balances, and the part of them that open transactions hold.
#[derive(Clone, Debug)]
pub(crate) struct Accounts {
    db: SqlitePool,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum AccountError {
    #[error("{user} does not have {amount}")]
    NotEnoughMoney { user: String, amount: i64 },
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Transaction(#[from] unanimous::Error),
}

#[participant(name = "account", fence = self.db)]
impl Accounts {
    /// Holds `amount` of the user's balance, and returns what is left of it.
    #[two_phase_action(commit = confirm, rollback = cancel)]
    pub(crate) async fn debit(
        &self,
        tx: &mut FenceTx<Sqlite>,
        user: &str,
        amount: i64,
    ) -> Result<i64, AccountError> {
        let left = sqlx::query_scalar(
            "UPDATE account SET balance = balance - ?2, held = held + ?2
             WHERE user = ?1 AND balance >= ?2 RETURNING balance",
        )
        .bind(user)
        .bind(amount)
        .fetch_optional(&mut *tx)
        .await?;
        left.ok_or_else(|| AccountError::NotEnoughMoney {
            user: user.to_owned(),
            amount,
        })
    }

    /// What was held is the shop's now.
    async fn confirm(
        &self,
        tx: &mut FenceTx<Sqlite>,
        user: &str,
        amount: i64,
    ) -> Result<(), AccountError> {
        sqlx::query("UPDATE account SET held = held - ?2 WHERE user = ?1")
            .bind(user)
            .bind(amount)
            .execute(&mut *tx)
            .await?;
        sqlx::query("UPDATE revenue SET total = total + ?")
            .bind(amount)
            .execute(&mut *tx)
            .await?;
        Ok(())
    }

    /// What was held is the user's again.
    async fn cancel(
        &self,
        tx: &mut FenceTx<Sqlite>,
        user: &str,
        amount: i64,
    ) -> Result<(), AccountError> {
        sqlx::query("UPDATE account SET balance = balance + ?2, held = held - ?2 WHERE user = ?1")
            .bind(user)
            .bind(amount)
            .execute(&mut *tx)
            .await?;
        Ok(())
    }
}

impl Accounts {
    pub(crate) async fn open(file: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let db = sqlite::durable(file).await?;
        sqlx::raw_sql(include_str!("schema.sql"))
            .execute(&db)
            .await?;
        Ok(Self { db })
    }
}

#[cfg(test)]
mod tests {
    use unanimous::testing::{Prover, database};

    use super::*;

    async fn accounts() -> Accounts {
        let db = database(concat!(
            include_str!("schema.sql"),
            "INSERT INTO account (user, balance) VALUES ('ada', 100);"
        ))
        .await
        .expect("a database");
        Accounts { db }
    }

    /// What Ada has, what of it is held, and what the shop has.
    async fn sums(accounts: &Accounts) -> (i64, i64, i64) {
        sqlx::query_as("SELECT balance, held, total FROM account, revenue")
            .fetch_one(&accounts.db)
            .await
            .expect("two rows")
    }

    #[tokio::test]
    async fn a_debit_keeps_the_rules_whatever_is_delivered() {
        let debit = Prover::new(
            accounts,
            async |accounts| accounts.debit("ada", 30).await,
            async |accounts| sums(accounts).await,
        );
        let proof = debit.assert_proved().await;
        assert_eq!((proof.points.len(), proof.orders), (22, 120));
    }
}
