impl Shop {
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
}
