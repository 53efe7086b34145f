fn boxed(probe: &Probe, depth: u32) -> BoxFuture<'_, Result<u32, Failure>> {
    ::std::boxed::Box::pin(async move {
        ::unanimous::__private::run_global(
                ::unanimous::__private::GlobalSpec::new(
                    ::core::concat!(
                        ::core::module_path!(),
                        "::",
                        "boxed",
                    ),
                ),
                ::unanimous::__private::how(),
                ::core::pin::pin!(
                    ::core::option::Option::Some(async move {
                        (move || -> BoxFuture<'_, Result<u32, Failure>> {
                            if depth == 0 {
                                return Box::pin(async { Failure::business("bottom") });
                            }
                            let word = format!("depth {depth}");
                            Box::pin(async move {
                                probe.touch(&word).await?;
                                Ok(depth)
                            })
                        })()
                            .await
                    }),
                ),
            )
            .await
    })
}
