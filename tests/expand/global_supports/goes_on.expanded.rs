/// An error that the joined function's own `commit_on` matches is no failed call.
async fn goes_on(probe: &Probe) -> Result<(), Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "goes_on",
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
                        let waits = price(probe, true).await;
                        assert!(waits.is_err(), "it waits");
                        Ok(())
                    }
                }),
            ),
        )
        .await
}
