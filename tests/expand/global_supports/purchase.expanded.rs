async fn purchase(probe: &Probe) -> Result<bool, Failure> {
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
                        let __returned: Result<bool, Failure> = loop {};
                        return __returned;
                    }
                    { Ok(price(probe, false).await? == unanimous::xid()) }
                }),
            ),
        )
        .await
}
