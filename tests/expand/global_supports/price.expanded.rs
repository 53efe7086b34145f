async fn price(probe: &Probe, wait: bool) -> Result<Option<Xid>, Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                    ::core::concat!(
                        ::core::module_path!(),
                        "::",
                        "price",
                    ),
                )
                .propagation(::unanimous::__private::Propagation::Supports),
            ::unanimous::__private::how::<Result<Option<Xid>, Failure>>()
                .commit_on(
                    |__result| match __result {
                        ::core::result::Result::Err(Failure::Business("waiting")) => true,
                        _ => false,
                    },
                    |__result| {
                        #[allow(unused_imports)]
                        use ::unanimous::__private::WithoutText as _;
                        ::unanimous::__private::Text(__result).text()
                    },
                ),
            ::core::pin::pin!(
                ::core::option::Option::Some(async move {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<Option<Xid>, Failure> = loop {};
                        return __returned;
                    }
                    {
                        if unanimous::xid().is_some() {
                            probe.touch("price").await?;
                        }
                        if wait {
                            return Failure::business("waiting");
                        }
                        Ok(unanimous::xid())
                    }
                }),
            ),
        )
        .await
}
