async fn by_closure(probe: &Probe, fails: bool) -> Result<(), String> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "by_closure",
                ),
            ),
            ::unanimous::__private::how_mapped::<
                Result<(), String>,
            >(|__error| {
                ::core::result::Result::Err(__error).map_err(|error| error.to_string())
            }),
            ::core::pin::pin!(
                ::core::option::Option::Some(async move {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<(), String> = loop {};
                        return __returned;
                    }
                    {
                        let touched = probe.touch("closure").await.map_err(text)?;
                        if fails {
                            Err(format!("after {touched}"))
                        } else {
                            Ok(())
                        }
                    }
                }),
            ),
        )
        .await
}
