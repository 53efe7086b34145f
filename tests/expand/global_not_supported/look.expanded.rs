async fn look(probe: &Probe, fails: bool) -> Result<Option<Xid>, Failure> {
    ::unanimous::__private::run_global(
            ::unanimous::__private::GlobalSpec::new(
                    ::core::concat!(
                        ::core::module_path!(),
                        "::",
                        "look",
                    ),
                )
                .propagation(::unanimous::__private::Propagation::NotSupported),
            ::unanimous::__private::how(),
            ::core::pin::pin!(
                ::core::option::Option::Some(async move {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<Option<Xid>, Failure> = loop {};
                        return __returned;
                    }
                    {
                        let touched = probe.touch("looked").await;
                        assert!(
                            matches!(
                                touched,
                                Err(Error::NotInTransaction {}),
                            ),
                            "it is outside: {touched:?}",
                        );
                        if fails {
                            return Failure::business("not found");
                        }
                        Ok(unanimous::xid())
                    }
                }),
            ),
        )
        .await
}
