//! The documents that a function gets and returns, for each of the gateways.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::function::Cookies;

/// Where a request comes from: each gateway has documents of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gateway {
    /// API Gateway, payload format 1.0, with a stage in the path.
    RestApi,
    /// API Gateway or a function URL, payload format 2.0.
    HttpApi,
    /// An application load balancer whose target group has multi-value headers switched on.
    LoadBalancer,
    /// The same with multi-value headers switched off, as they are at first.
    SingleValueLoadBalancer,
}

impl Gateway {
    /// What comes before each path.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::RestApi => "/prod",
            _ => "",
        }
    }

    /// The document of a request.
    pub(crate) fn event(self, request: &Request<'_>) -> Value {
        let document = match self {
            Self::RestApi => include_str!("../events/rest_api.json"),
            Self::HttpApi => include_str!("../events/http_api.json"),
            _ => include_str!("../events/load_balancer.json"),
        };
        let mut event: Value = serde_json::from_str(document).unwrap();
        if self == Self::HttpApi {
            event["rawPath"] = request.path.into();
            event["rawQueryString"] = request.query.into();
            event["requestContext"]["http"]["method"] = request.method.into();
            event["requestContext"]["http"]["path"] = request.path.into();
        } else {
            event["httpMethod"] = request.method.into();
            event["path"] = request.path.into();
            for pair in request.query.split('&').filter(|query| !query.is_empty()) {
                let (name, value) = pair.split_once('=').unwrap();
                event["queryStringParameters"] = json!({ name: value });
                event["multiValueQueryStringParameters"] = json!({ name: [value] });
            }
        }
        for (name, value) in &request.headers {
            event["headers"][*name] = (*value).into();
            if self == Self::RestApi {
                event["multiValueHeaders"][*name] = json!([value]);
            }
        }
        let cookies = request.cookies.pairs();
        if !cookies.is_empty() {
            match self {
                Self::HttpApi => event["cookies"] = json!(cookies),
                Self::RestApi => {
                    event["headers"]["Cookie"] = cookies.join("; ").into();
                    event["multiValueHeaders"]["Cookie"] = json!([cookies.join("; ")]);
                }
                _ => event["headers"]["cookie"] = cookies.join("; ").into(),
            }
        }
        if self == Self::LoadBalancer {
            let headers = event["headers"].as_object().unwrap();
            let several = headers
                .iter()
                .map(|(name, value)| (name.clone(), json!([value])));
            event["multiValueHeaders"] = Value::Object(several.collect());
            // One line for each cookie, as HTTP/2 allows.
            if !cookies.is_empty() {
                event["multiValueHeaders"]["cookie"] = json!(cookies);
            }
            event.as_object_mut().unwrap().remove("headers");
        }
        if let Some(body) = request.body {
            event["body"] = if request.encoded {
                STANDARD.encode(body).into()
            } else {
                body.into()
            };
            event["isBase64Encoded"] = request.encoded.into();
        }
        event
    }

    /// The answer as the gateway reads it.
    pub(crate) fn read(self, document: &Value) -> Answer {
        let lines = match self {
            Self::RestApi | Self::LoadBalancer => several(&document["multiValueHeaders"]),
            Self::HttpApi | Self::SingleValueLoadBalancer => single(&document["headers"]),
        };
        let named = |name: &str| {
            let lines = lines.iter().filter(|(found, _)| found == name);
            lines.map(|(_, value)| value.clone()).collect::<Vec<_>>()
        };
        let cookies = match self {
            Self::HttpApi => strings(&document["cookies"]),
            _ => named("set-cookie"),
        };
        assert_eq!(document["isBase64Encoded"], json!(false), "{document}");
        Answer {
            status: document["statusCode"].as_u64().unwrap(),
            body: serde_json::from_str(document["body"].as_str().unwrap()).unwrap(),
            cookies,
            headers: lines,
        }
    }
}

/// A request before it is an event.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: Vec<(&'a str, &'a str)>,
    pub(crate) cookies: &'a Cookies,
    pub(crate) body: Option<&'a str>,
    /// Whether the body travels in base64.
    pub(crate) encoded: bool,
}

/// A response when it is no document any more.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u64,
    pub(crate) body: Value,
    /// The `Set-Cookie` lines.
    pub(crate) cookies: Vec<String>,
    headers: Vec<(String, String)>,
}

impl Answer {
    /// The one value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.headers.iter().filter(|(found, _)| found == name);
        let first = lines.next()?;
        assert!(lines.next().is_none(), "{name} is there twice");
        Some(&first.1)
    }

    /// How many lines set a cookie.
    pub(crate) fn times_set(&self, cookie: &str) -> usize {
        let start = format!("{cookie}=");
        self.cookies
            .iter()
            .filter(|line| line.starts_with(&start))
            .count()
    }
}

fn single(headers: &Value) -> Vec<(String, String)> {
    let headers = headers.as_object().unwrap().iter();
    headers
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect()
}

fn several(headers: &Value) -> Vec<(String, String)> {
    let headers = headers.as_object().unwrap().iter();
    headers
        .flat_map(|(name, values)| {
            strings(values)
                .into_iter()
                .map(|value| (name.clone(), value))
        })
        .collect()
}

fn strings(values: &Value) -> Vec<String> {
    let values = values.as_array().unwrap().iter();
    values
        .map(|value| value.as_str().unwrap().to_owned())
        .collect()
}
