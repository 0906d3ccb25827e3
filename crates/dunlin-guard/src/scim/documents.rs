//! What the service says about itself: configuration, schemas, resource types (RFC 7643, 5 to 7).

use serde_json::{Value, json};

/// `GET /ServiceProviderConfig`.
pub fn service_provider_config(base: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": 200 },
        "changePassword": { "supported": false },
        "sort": { "supported": false },
        "etag": { "supported": false },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "A service token of dunlin with the scope scim.manage.",
            "primary": true,
        }],
        "meta": { "resourceType": "ServiceProviderConfig", "location": format!("{base}/ServiceProviderConfig") },
    })
}

/// `GET /ResourceTypes`.
pub fn resource_types(base: &str) -> Value {
    list(vec![json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
        "id": "User",
        "name": "User",
        "endpoint": "/Users",
        "description": "A person",
        "schema": "urn:ietf:params:scim:schemas:core:2.0:User",
        "meta": { "resourceType": "ResourceType", "location": format!("{base}/ResourceTypes/User") },
    })])
}

/// `GET /Schemas`: the attributes that dunlin keeps.
pub fn schemas(base: &str) -> Value {
    let id = "urn:ietf:params:scim:schemas:core:2.0:User";
    let name = ["formatted", "givenName", "familyName"].map(|n| attribute(n, "string", false, "readWrite"));
    let value = |name: &str| {
        let parts = json!([
            attribute("value", "string", false, "readWrite"),
            attribute("primary", "boolean", false, "readWrite")
        ]);
        let mut list = attribute(name, "complex", false, "readWrite");
        list["multiValued"] = true.into();
        list["subAttributes"] = parts;
        list
    };
    let mut user_name = attribute("userName", "string", true, "readWrite");
    user_name["uniqueness"] = "server".into();
    let mut full_name = attribute("name", "complex", false, "readWrite");
    full_name["subAttributes"] = json!(name);
    let mut emails = value("emails");
    emails["mutability"] = "readOnly".into();
    list(vec![json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
        "id": id,
        "name": "User",
        "description": "A person",
        "attributes": [
            user_name,
            full_name,
            attribute("displayName", "string", false, "readWrite"),
            attribute("active", "boolean", false, "readWrite"),
            emails,
            value("roles"),
        ],
        "meta": { "resourceType": "Schema", "location": format!("{base}/Schemas/{id}") },
    })])
}

fn attribute(name: &str, kind: &str, required: bool, mutability: &str) -> Value {
    json!({
        "name": name,
        "type": kind,
        "multiValued": false,
        "required": required,
        "caseExact": false,
        "mutability": mutability,
        "returned": "default",
        "uniqueness": "none",
    })
}

fn list(resources: Vec<Value>) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": resources.len(),
        "startIndex": 1,
        "itemsPerPage": resources.len(),
        "Resources": resources,
    })
}
