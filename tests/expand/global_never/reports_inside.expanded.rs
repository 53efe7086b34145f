async fn reports_inside(probe: &Probe) -> Result<u32, Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                ::core::concat!(
                    ::core::module_path!(),
                    "::",
                    "reports_inside",
                ),
            ),
            ::unanimous::__private::how(),
            ::core::pin::pin!(
                ::core::option::Option::Some(async move {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<u32, Failure> = loop {};
                        return __returned;
                    }
                    {
                        probe.touch("purchase").await?;
                        report(4).await
                    }
                }),
            ),
        )
        .await
}
