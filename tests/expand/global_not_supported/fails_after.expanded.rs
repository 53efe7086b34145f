async fn fails_after(probe: &Probe) -> Result<(), Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "fails_after",
                ),
            ),
            ::unanimous::__private::how(),
            ::core::pin::pin!(
                ::core::option::Option::Some(async move {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<(), Failure> = loop {};
                        return __returned;
                    }
                    {
                        probe.touch("purchase").await?;
                        look(probe, false).await?;
                        Failure::business("outer")
                    }
                }),
            ),
        )
        .await
}
