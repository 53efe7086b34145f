async fn transfer(from: &str, to: &str, cents: i64) -> Result<i64, Failure> {
    ::unanimous::__private::run_fenced_function(
            &const {
                ::unanimous::__private::ActionSpec::new(
                    ::core::concat!(
                        ::core::module_path!(),
                        "::",
                        "transfer",
                    ),
                    ::core::file!(),
                    0,
                )
            },
            |__states| {
                let app: &App = __states.get();
                ::unanimous::__private::fence_of({ &app.db })
            },
            ::unanimous::__private::record()
                .put("from", &from)
                .put("to", &to)
                .put("cents", &cents),
            ::unanimous::__private::how_fenced(),
            async |__lent, __states| -> Result<i64, Failure> {
                #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                if false {
                    let __returned: Result<i64, Failure> = loop {};
                    return __returned;
                }
                let tx: &mut FenceTx<Sqlite> = __lent;
                #[allow(unused_variables)]
                let app: &App = __states.get();
                {
                    app.journal.tried(format!("to {to}"));
                    let sql = "UPDATE account SET balance = balance - ? WHERE user = ?";
                    query(sql).bind(cents).bind(from).execute(&mut *tx).await?;
                    if cents > 100 {
                        return Failure::business("too much");
                    }
                    Ok(cents)
                }
            },
        )
        .await
}
