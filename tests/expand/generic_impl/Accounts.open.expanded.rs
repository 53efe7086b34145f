impl<R, const N: usize> Accounts<R, N>
where
    R: Repo,
{
    async fn open(&self, id: R::Id, others: &[R::Id]) -> Result<usize, Failure> {
        ::unanimous::__private::run_unfenced(
                &const {
                    ::unanimous::__private::ActionSpec::new(
                        "open",
                        ::core::file!(),
                        0,
                    )
                },
                self,
                ::unanimous::__private::record().put("id", &id).put("others", &others),
                ::unanimous::__private::how(),
                async || -> Result<usize, Failure> {
                    #[allow(unreachable_code, clippy::all, clippy::pedantic)]
                    if false {
                        let __returned: Result<usize, Failure> = loop {};
                        return __returned;
                    }
                    {
                        self.journal.tried(&id);
                        if others.len() > Self::LIMIT {
                            Failure::business("too many")
                        } else {
                            Ok(N)
                        }
                    }
                },
            )
            .await
    }
}
