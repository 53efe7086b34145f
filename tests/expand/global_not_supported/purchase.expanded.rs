async fn purchase(probe: &Probe, look_fails: bool) -> Result<(), Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "purchase",
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
                        let before = unanimous::xid();
                        match look(probe, look_fails).await {
                            Ok(seen) => {
                                assert_eq!(seen, None, "it is suspended")
                            }
                            Err(error) => {
                                assert!(
                                    matches!(error, Failure::Business("not found")),
                                )
                            }
                        }
                        assert_eq!(unanimous::xid(), before);
                        probe.touch("purchase").await?;
                        Ok(())
                    }
                }),
            ),
        )
        .await
}
