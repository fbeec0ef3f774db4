//! `adapter_types!`: what every adapter shows its users.

/// Declares the types that an adapter shows its users.
///
/// They have to be types of the adapter's own crate, for that implements its framework's traits for
/// them. What they do is the same everywhere and is declared here: `Session<P>` and
/// `OptionalSession<P>` prove that a check was passed, `SessionRequest` is the request for handlers
/// that create a session or choose a check at run time, `SessionRejection` is a
/// [`Refusal`](crate::http::Refusal) on its way through the framework. Each is asked for by its name
/// and a semicolon, and gets the documentation that is written above it. For a rejection, one says
/// what makes a refusal of an error that a handler passes on with `?`:
/// [`Refusal::from`](crate::http::Refusal), unless the framework needs more.
///
/// In the adapter's crate, `Session::of` and `OptionalSession::of` check the session of an
/// [`Exchange`](crate::http::Exchange).
///
/// # Examples
///
/// ```
/// use session_core::{CheckDatabase, http::{Exchange, Refusal}};
///
/// session_core::adapter_types! {
///     /// The session of a request, checked as the policy `P` says.
///     Session;
///     /// A refused session.
///     SessionRejection = Refusal::from;
/// }
///
/// async fn extract(exchange: &Exchange) -> Result<Session<CheckDatabase>, SessionRejection> {
///     Session::of(exchange).await
/// }
/// # let _ = extract;
/// ```
#[macro_export]
macro_rules! adapter_types {
    () => {};
    ($(#[$about:meta])* Session; $($others:tt)*) => {
        $crate::__checked_session! {
            $(#[$about])*
            Session: $crate::Session = verify,
            "The session itself, for functions that do not care how it was checked."
        }
        $crate::adapter_types! { $($others)* }
    };
    ($(#[$about:meta])* OptionalSession; $($others:tt)*) => {
        $crate::__checked_session! {
            $(#[$about])*
            OptionalSession: ::core::option::Option<$crate::Session> = verify_optional,
            "The session, or `None` for a request without one."
        }
        $crate::adapter_types! { $($others)* }
    };
    ($(#[$about:meta])* SessionRequest; $($others:tt)*) => {
        $(#[$about])*
        #[derive(Debug, Clone)]
        pub struct SessionRequest(pub(crate) $crate::http::Exchange);

        impl SessionRequest {
            /// Creates a session; its tokens travel with the response.
            ///
            /// # Errors
            ///
            /// As [`Exchange::create`]($crate::http::Exchange::create).
            pub async fn create_session(
                &self,
                new: $crate::NewSession,
            ) -> ::core::result::Result<$crate::Session, SessionRejection> {
                ::core::result::Result::Ok(self.0.create(new).await?)
            }

            /// The session of the request, if it has one; a request without one is refused unless
            /// `session_required(false)`.
            ///
            /// # Errors
            ///
            /// As [`Exchange::guard`]($crate::http::Exchange::guard).
            pub async fn get_session(
                &self,
                options: &$crate::VerifyOptions,
            ) -> ::core::result::Result<::core::option::Option<$crate::Session>, SessionRejection>
            {
                ::core::result::Result::Ok(self.0.guard(options).await?)
            }

            /// The sessions of the application.
            pub fn sessions(&self) -> &$crate::Sessions {
                self.0.sessions()
            }
        }

        $crate::adapter_types! { $($others)* }
    };
    ($(#[$about:meta])* SessionRejection = $refusal:path; $($others:tt)*) => {
        $(#[$about])*
        #[derive(Debug, Clone)]
        pub struct SessionRejection(pub(crate) $crate::http::Refusal);

        impl SessionRejection {
            /// Why.
            pub fn error(&self) -> &$crate::SessionError {
                self.0.error()
            }
        }

        impl ::core::convert::From<$crate::http::Refusal> for SessionRejection {
            fn from(refusal: $crate::http::Refusal) -> Self {
                Self(refusal)
            }
        }

        impl ::core::convert::From<$crate::SessionError> for SessionRejection {
            fn from(error: $crate::SessionError) -> Self {
                Self($refusal(error))
            }
        }

        impl ::core::fmt::Display for SessionRejection {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(&self.0, f)
            }
        }

        impl ::core::error::Error for SessionRejection {
            fn source(&self) -> ::core::option::Option<&(dyn ::core::error::Error + 'static)> {
                ::core::error::Error::source(&self.0)
            }
        }

        $crate::adapter_types! { $($others)* }
    };
}

/// What `Session` and `OptionalSession` have in common.
#[doc(hidden)]
#[macro_export]
macro_rules! __checked_session {
    ($(#[$about:meta])* $name:ident: $found:ty = $verify:ident, $inner:literal) => {
        $(#[$about])*
        pub struct $name<P: $crate::Policy = $crate::Configured>(
            $found,
            ::core::marker::PhantomData<fn() -> P>,
        );

        impl<P: $crate::Policy> $name<P> {
            #[doc = $inner]
            pub fn into_inner(self) -> $found {
                self.0
            }

            pub(crate) async fn of(
                exchange: &$crate::http::Exchange,
            ) -> ::core::result::Result<Self, SessionRejection> {
                let found = exchange.$verify(&P::options()).await?;
                ::core::result::Result::Ok(Self(found, ::core::marker::PhantomData))
            }
        }

        impl<P: $crate::Policy> ::core::ops::Deref for $name<P> {
            type Target = $found;

            fn deref(&self) -> &$found {
                &self.0
            }
        }

        impl<P: $crate::Policy> ::core::clone::Clone for $name<P> {
            fn clone(&self) -> Self {
                Self(
                    ::core::clone::Clone::clone(&self.0),
                    ::core::marker::PhantomData,
                )
            }
        }

        impl<P: $crate::Policy> ::core::fmt::Debug for $name<P> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}
