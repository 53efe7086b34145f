impl Fenced {
    async fn act(self: Arc<Self>, word: &str) -> Result<(), Failure> {
        match ::core::clone::Clone::clone(&self) {
            __this => {
                ::unanimous::__private::run_fenced(
                        &const {
                            ::unanimous::__private::ActionSpec::new(
                                "act",
                                ::core::file!(),
                                0,
                            )
                        },
                        &*__this,
                        ::unanimous::__private::fence_of({
                            let __fenced = &*__this;
                            &__fenced.db
                        }),
                        ::unanimous::__private::record().put("word", &word),
                        ::unanimous::__private::how_fenced(),
                        async |__lent| -> Result<(), Failure> {
                            #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                            if false {
                                let __returned: Result<(), Failure> = loop {};
                                return __returned;
                            }
                            #[allow(clippy::no_effect_underscore_binding)]
                            let _tx: &mut FenceTx<Sqlite> = __lent;
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
