impl Accounts {
    async fn fenced(&self, data: Kilobyte) -> Result<u8, Failure> {
        ::unanimous::__private::run_fenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "fenced",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::fence_of({ &self.db }),
                ::unanimous::__private::record().put("data", &data),
                ::unanimous::__private::how_fenced(),
                async |__lent| -> Result<u8, Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<u8, Failure> = loop {};
                        return __returned;
                    }
                    #[allow(clippy::no_effect_underscore_binding)]
                    let _tx: &mut FenceTx<Sqlite> = __lent;
                    {
                        ready(()).await;
                        self.journal.tried("sized");
                        Ok(data.last())
                    }
                },
            )
            .await
    }
}
