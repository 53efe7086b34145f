async fn r#try(r#user: &str, r#type: Option<&Note>) -> Result<(), Failure> {
    ::unanimous::__private::run_unfenced_function(
            &const {
                ::unanimous::__private::ActionSpec::new(
                    ::core::concat!(
                        ::core::module_path!(),
                        "::",
                        "try",
                    ),
                    ::core::file!(),
                    0,
                )
            },
            ::unanimous::__private::record().put("user", &r#user).put("type", &r#type),
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
                    journal.tried(r#type.unwrap_or(user));
                    Ok(())
                }
            },
        )
        .await
}
