async fn audit(probe: &Probe) -> Result<Xid, Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                    ::core::concat!(
                        ::core::module_path!(),
                        "::",
                        "audit",
                    ),
                )
                .propagation(::unanimous::__private::Propagation::RequiresNew),
            ::unanimous::__private::how(),
            ::core::pin::pin!(
                ::core::option::Option::Some(async move {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<Xid, Failure> = loop {};
                        return __returned;
                    }
                    {
                        probe.touch("audit").await?;
                        unanimous::xid().ok_or(Failure::Business("no transaction"))
                    }
                }),
            ),
        )
        .await
}
