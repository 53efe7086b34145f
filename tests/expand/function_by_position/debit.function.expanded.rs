async fn debit(user: &str, amount: i64) -> Result<(), Failure> {
    ::unanimous::__private::run_fenced_function(
            &const {
                ::unanimous::__private::ActionSpec::new(
                    ::core::concat!(
                        ::core::module_path!(),
                        "::",
                        "debit",
                    ),
                    ::core::file!(),
                    0,
                )
            },
            |__states| {
                let db: &SqlitePool = __states.get();
                ::unanimous::__private::fence_of({ &*db })
            },
            ::unanimous::__private::record().put("user", &user).put("amount", &amount),
            ::unanimous::__private::how_fenced(),
            async |__lent, __states| -> Result<(), Failure> {
                #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                if false {
                    let __returned: Result<(), Failure> = loop {};
                    return __returned;
                }
                let tx: &mut FenceTx<Sqlite> = __lent;
                #[allow(unused_variables)]
                let db: &SqlitePool = __states.get();
                #[allow(unused_variables)]
                let journal: Journal = __states.cloned();
                {
                    journal
                        .tried(format!("{user} {amount} of {}", db.size()));
                    let sql = "UPDATE account SET balance = balance - ?1, frozen = frozen + ?1 WHERE user = ?2";
                    query(sql).bind(amount).bind(user).execute(&mut *tx).await?;
                    Ok(())
                }
            },
        )
        .await
}
