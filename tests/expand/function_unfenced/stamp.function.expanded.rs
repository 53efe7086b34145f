async fn stamp(to: &str) -> Result<(), Failure> {
    ::unanimous::__private::run_unfenced_function(
            &const {
                ::unanimous::__private::ActionSpec::new(
                    ::core::concat!(
                        ::core::module_path!(),
                        "::",
                        "stamp",
                    ),
                    ::core::file!(),
                    0,
                )
            },
            ::unanimous::__private::record().put("to", &to),
            ::unanimous::__private::how(),
            async |__states| -> Result<(), Failure> {
                #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                if false {
                    let __returned: Result<(), Failure> = loop {};
                    return __returned;
                }
                #[allow(unused_variables)]
                let journal: &Arc<Journal> = __states.get();
                {
                    journal.tried(to);
                    journal.confirmed(to);
                    Ok(())
                }
            },
        )
        .await
}
