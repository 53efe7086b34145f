impl Shop {
    async fn by_reference(&self) -> Result<&str, Failure> {
        ::unanimous::__private::run_global(
                ::unanimous::__private::GlobalSpec::new(
                    ::core::concat!(
                        ::core::module_path!(),
                        "::",
                        "by_reference",
                    ),
                ),
                ::unanimous::__private::how(),
                ::core::pin::pin!(
                    ::core::option::Option::Some(async move {
                        #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                        if false {
                            let __returned: Result<&str, Failure> = loop {};
                            return __returned;
                        }
                        {
                            self.probe.touch("&self").await?;
                            Ok(&self.last)
                        }
                    }),
                ),
            )
            .await
    }
    async fn exclusive<'a>(&'a mut self, word: &str) -> Result<&'a mut String, Failure> {
        ::unanimous::__private::run_global(
                ::unanimous::__private::GlobalSpec::new(
                    ::core::concat!(
                        ::core::module_path!(),
                        "::",
                        "exclusive",
                    ),
                ),
                ::unanimous::__private::how(),
                ::core::pin::pin!(
                    ::core::option::Option::Some(async move {
                        #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                        if false {
                            let __returned: Result<&'a mut String, Failure> = loop {};
                            return __returned;
                        }
                        {
                            self.probe.touch(word).await?;
                            self.last.push_str(word);
                            Ok(&mut self.last)
                        }
                    }),
                ),
            )
            .await
    }
    async fn shared(self: Arc<Self>) -> Result<Arc<Self>, Failure> {
        ::unanimous::__private::run_global(
                ::unanimous::__private::GlobalSpec::new(
                    ::core::concat!(
                        ::core::module_path!(),
                        "::",
                        "shared",
                    ),
                ),
                ::unanimous::__private::how(),
                ::core::pin::pin!(
                    ::core::option::Option::Some(async move {
                        #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                        if false {
                            let __returned: Result<Arc<Self>, Failure> = loop {};
                            return __returned;
                        }
                        {
                            self.probe.touch("Arc<Self>").await?;
                            Ok(self)
                        }
                    }),
                ),
            )
            .await
    }
    async fn pinned(mut self: Pin<&mut Self>) -> Result<(), Failure> {
        ::unanimous::__private::run_global(
                ::unanimous::__private::GlobalSpec::new(
                    ::core::concat!(
                        ::core::module_path!(),
                        "::",
                        "pinned",
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
                            self.probe.touch("Pin").await?;
                            self.last.clear();
                            Ok(())
                        }
                    }),
                ),
            )
            .await
    }
    async fn by_value(mut self) -> Result<String, Failure> {
        ::unanimous::__private::run_global(
                ::unanimous::__private::GlobalSpec::new(
                    ::core::concat!(
                        ::core::module_path!(),
                        "::",
                        "by_value",
                    ),
                ),
                ::unanimous::__private::how(),
                ::core::pin::pin!(
                    ::core::option::Option::Some(async move {
                        #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                        if false {
                            let __returned: Result<String, Failure> = loop {};
                            return __returned;
                        }
                        {
                            self.probe.touch("self").await?;
                            self.last.push('.');
                            Ok(self.last)
                        }
                    }),
                ),
            )
            .await
    }
}
