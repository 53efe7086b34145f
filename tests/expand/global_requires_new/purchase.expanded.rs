async fn purchase(probe: &Probe) -> Result<(Xid, Xid), Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                    ::core::concat!(
                        ::core::module_path!(),
                        "::",
                        "purchase",
                    ),
                )
                .propagation(::unanimous::__private::Propagation::Required),
            ::unanimous::__private::how(),
            ::core::pin::pin!(
                ::core::option::Option::Some(async move {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<(Xid, Xid), Failure> = loop {};
                        return __returned;
                    }
                    {
                        let inner = audit(probe).await?;
                        let outer = unanimous::xid()
                            .ok_or(Failure::Business("no transaction"))?;
                        Ok((outer, inner))
                    }
                }),
            ),
        )
        .await
}
