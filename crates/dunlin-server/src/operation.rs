//! An operation of the API: its route, who may use it, and its page in the OpenAPI file, said once.
//!
//! A route cannot be made without an [`Access`], and its handler is always wrapped in the gate that asks for it: so
//! there is no route that forgets to ask, and what the file says of a route is what is asked.

use std::future::Future;
use std::pin::Pin;

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use dunlin_guard::Action;
use serde_json::json;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{
    ContentBuilder, OpenApi, Ref, RefOr, Required, ResponseBuilder, Schema, SecurityRequirement,
};
use utoipa::{PartialSchema, ToSchema};

use crate::app::App;
use crate::gate::{gate, public};
use crate::problem::Problem;

/// Who may use an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody: a step of signing in, or a document that says nothing about the workspace.
    Public,
    /// Whoever the policies allow this action on this target.
    May(Action, Target),
    /// As `May`, also with a session that has yet to show or set up its second factor.
    Early(Action, Target),
}

/// What an action is done to, as far as the address tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The workspace.
    Workspace,
    /// Something of the caller's own.
    Own,
    /// The person whom `{person}` names.
    Person,
    /// The token that `{token}` names, which belongs to a person.
    Token,
    /// The plan as it is.
    Plan,
    /// A grant; the handler asks again once it has read whose.
    Grant,
    /// A notice; the handler asks again once it has read who wrote it.
    Notice,
}

impl Access {
    fn code(self) -> &'static str {
        match self {
            Access::Public => "public",
            Access::May(action, _) | Access::Early(action, _) => action.code(),
        }
    }
}

/// The method of an operation.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// An operation that is being declared.
pub(crate) struct Op {
    method: Method,
    path: &'static str,
    access: Access,
    status: u16,
    operation: OperationBuilder,
    answer: ResponseBuilder,
    schemas: Vec<(String, RefOr<Schema>)>,
}

impl Op {
    /// Begins an operation: `id` is unique, `summary` is a sentence.
    pub(crate) fn new(method: Method, path: &'static str, access: Access, id: &str, summary: &str) -> Op {
        let words = path.split('/').filter(|part| !matches!(*part, "" | "api" | "v1" | "v2"));
        let tag = words.into_iter().find(|part| !part.starts_with('{')).unwrap_or("api");
        let extensions = ExtensionsBuilder::new().add("x-dunlin-action", json!(access.code())).build();
        let mut operation = OperationBuilder::new()
            .operation_id(Some(id))
            .summary(Some(summary))
            .tag(tag)
            .extensions(Some(extensions));
        if access == Access::Public {
            operation = operation.securities(Some(Vec::<SecurityRequirement>::new()));
        }
        for name in path.split('/').filter_map(|p| p.strip_prefix('{')) {
            let name = name.trim_start_matches('*').trim_end_matches('}');
            operation =
                operation.parameter(parameter(name, ParameterIn::Path, Required::True, Type::String, ""));
        }
        let (schemas, answer) = (Vec::new(), ResponseBuilder::new().description("Done"));
        Op { method, path, access, status: 204, operation, answer, schemas }
    }

    /// A parameter of the query.
    #[must_use]
    pub(crate) fn query(mut self, name: &str, kind: Type, says: &str) -> Op {
        self.operation =
            self.operation.parameter(parameter(name, ParameterIn::Query, Required::False, kind, says));
        self
    }

    /// A header that the operation reads.
    #[must_use]
    pub(crate) fn header(mut self, name: &str, required: bool, says: &str) -> Op {
        let required = if required { Required::True } else { Required::False };
        self.operation =
            self.operation.parameter(parameter(name, ParameterIn::Header, required, Type::String, says));
        self
    }

    /// Takes a body of JSON.
    #[must_use]
    pub(crate) fn takes<T: ToSchema>(mut self) -> Op {
        let schema = self.schema::<T>();
        let content = ContentBuilder::new().schema(Some(schema)).build();
        self.body("application/json", content)
    }

    /// Takes a body of text of this media type.
    #[must_use]
    pub(crate) fn takes_text(self, kind: &str) -> Op {
        let content = ContentBuilder::new().schema(Some(String::schema())).build();
        self.body(kind, content)
    }

    /// Takes a form of this media type.
    #[must_use]
    pub(crate) fn takes_form<T: ToSchema>(mut self, kind: &str) -> Op {
        let schema = self.schema::<T>();
        self.body(kind, ContentBuilder::new().schema(Some(schema)).build())
    }

    /// Takes any JSON object, under this media type.
    #[must_use]
    pub(crate) fn takes_object(self, kind: &str) -> Op {
        let schema = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Object)).build();
        self.body(kind, ContentBuilder::new().schema(Some(Schema::Object(schema))).build())
    }

    /// Answers with a JSON object under this media type.
    #[must_use]
    pub(crate) fn answers_json_as(mut self, kind: &str, says: &str) -> Op {
        let schema = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Object)).build();
        let content = ContentBuilder::new().schema(Some(Schema::Object(schema))).build();
        self.answer = ResponseBuilder::new().description(says).content(kind, content);
        self.status = 200;
        self
    }

    /// Answers with this status when all went well.
    #[must_use]
    pub(crate) fn with_status(self, status: u16) -> Op {
        Op { status, ..self }
    }

    fn body(mut self, kind: &str, content: utoipa::openapi::Content) -> Op {
        let body = RequestBodyBuilder::new().content(kind, content).required(Some(Required::True)).build();
        self.operation = self.operation.request_body(Some(body));
        self
    }

    /// Answers 200 with JSON.
    #[must_use]
    pub(crate) fn answers<T: ToSchema>(mut self, says: &str) -> Op {
        let schema = self.schema::<T>();
        let content = ContentBuilder::new().schema(Some(schema)).build();
        self.answer = ResponseBuilder::new().description(says).content("application/json", content);
        self.status = 200;
        self
    }

    /// Answers 200 with a JSON object.
    #[must_use]
    pub(crate) fn answers_object(mut self, says: &str) -> Op {
        let schema = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Object)).build();
        let content = ContentBuilder::new().schema(Some(Schema::Object(schema))).build();
        self.answer = ResponseBuilder::new().description(says).content("application/json", content);
        self.status = 200;
        self
    }

    /// Answers 201 with a JSON object.
    #[must_use]
    pub(crate) fn creates_object(self, says: &str) -> Op {
        Op { status: 201, ..self.answers_object(says) }
    }

    /// Answers 201 with JSON.
    #[must_use]
    pub(crate) fn creates<T: ToSchema>(self, says: &str) -> Op {
        Op { status: 201, ..self.answers::<T>(says) }
    }

    /// Answers 200 with something that is not JSON.
    #[must_use]
    pub(crate) fn answers_as(mut self, kind: &str, says: &str) -> Op {
        let content = ContentBuilder::new().schema(Some(String::schema())).build();
        self.answer = ResponseBuilder::new().description(says).content(kind, content);
        self.status = 200;
        self
    }

    fn schema<T: ToSchema>(&mut self) -> RefOr<Schema> {
        T::schemas(&mut self.schemas);
        // Types without a name of their own (lists, texts) stand where they are used.
        let inline = T::schema();
        let is_named = matches!(&inline, RefOr::T(Schema::Object(_) | Schema::OneOf(_) | Schema::AllOf(_)));
        if !is_named || T::name().is_empty() {
            return inline;
        }
        let name = T::name().into_owned();
        self.schemas.push((name.clone(), inline));
        RefOr::Ref(Ref::from_schema_name(name))
    }
}

fn parameter(name: &str, place: ParameterIn, required: Required, kind: Type, says: &str) -> Parameter {
    let schema = ObjectBuilder::new().schema_type(SchemaType::Type(kind)).build();
    let parameter =
        ParameterBuilder::new().name(name).parameter_in(place).required(required).schema(Some(schema));
    let says = (!says.is_empty()).then_some(says);
    parameter.description(says).build()
}

/// Operations, as a router and as an OpenAPI document.
pub(crate) struct Routes {
    router: Router<App>,
    document: OpenApi,
}

impl Routes {
    /// None yet; the document says what it is about.
    pub(crate) fn new(document: OpenApi) -> Routes {
        Routes { router: Router::new(), document }
    }

    /// Adds an operation with what handles it.
    #[must_use]
    pub(crate) fn add<H, T>(mut self, op: Op, handler: H) -> Routes
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let (filter, method) = match op.method {
            Method::Get => (MethodFilter::GET, HttpMethod::Get),
            Method::Post => (MethodFilter::POST, HttpMethod::Post),
            Method::Put => (MethodFilter::PUT, HttpMethod::Put),
            Method::Patch => (MethodFilter::PATCH, HttpMethod::Patch),
            Method::Delete => (MethodFilter::DELETE, HttpMethod::Delete),
        };
        let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let problem = ResponseBuilder::new()
            .description("What is wrong, and how to mend it")
            .content("application/problem+json", problem);
        let operation =
            op.operation.response(op.status.to_string(), op.answer).response("default", problem).build();
        // OpenAPI has no wildcard that spans several segments; the name stays.
        let path = op.path.replace("{*", "{");
        self.document.paths.add_path_operation(path, vec![method], operation);
        let components = self.document.components.get_or_insert_default();
        for (name, schema) in op.schemas {
            let before = components.schemas.insert(name.clone(), schema);
            // The later would hide the earlier, and programs be made for the wrong one.
            debug_assert!(
                before.is_none_or(|b| Some(&b) == components.schemas.get(&name)),
                "two shapes of the API are called {name}"
            );
        }
        self.router = self.router.route(op.path, on(filter, Gated { access: op.access, inner: handler }));
        self
    }

    /// Adds the operations of a part of the API.
    #[must_use]
    pub(crate) fn with(self, part: impl FnOnce(Routes) -> Routes) -> Routes {
        part(self)
    }

    /// Both.
    pub(crate) fn finish(mut self) -> (Router<App>, OpenApi) {
        let components = self.document.components.get_or_insert_default();
        components.schemas.insert("Problem".to_owned(), Problem::schema());
        (self.router, self.document)
    }
}

/// A handler behind the gate.
#[derive(Clone)]
struct Gated<H> {
    access: Access,
    inner: H,
}

impl<H, T> Handler<T, App> for Gated<H>
where
    H: Handler<T, App>,
    T: 'static,
{
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, app: App) -> Self::Future {
        Box::pin(async move {
            let passed = match self.access {
                Access::Public => public(&app, request).await,
                Access::May(action, target) => gate(&app, action, target, false, request).await,
                Access::Early(action, target) => gate(&app, action, target, true, request).await,
            };
            match passed {
                Ok(request) => self.inner.call(request, app).await,
                Err(problem) => problem.into_response(),
            }
        })
    }
}
