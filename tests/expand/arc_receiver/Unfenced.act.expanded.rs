impl Unfenced {
    async fn act(self: Arc<Self>, word: String) -> Result<(), Failure> {
        match ::core::clone::Clone::clone(&self) {
            __this => {
                ::unanimous::__private::run_unfenced(
                        &const {
                            ::unanimous::__private::ActionSpec::new(
                                "act",
                                ::core::file!(),
                                0,
                            )
                        },
                        &*__this,
                        ::unanimous::__private::record().put("word", &word),
                        ::unanimous::__private::how(),
                        async || -> Result<(), Failure> {
                            #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                            if false {
                                let __returned: Result<(), Failure> = loop {};
                                return __returned;
                            }
                            {
                                let moved = self;
                                moved.journal.tried(word);
                                Ok(())
                            }
                        },
                    )
                    .await
            }
        }
    }
}
