using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Printing;
using Mesh.ApiServer.Schemas;

namespace Mesh.ApiServer.Resources;

/// <summary>
/// What clients ask of themselves: who they are, and what they may do (<c>kubectl auth</c>). Whoever gets here holds the
/// administrator's token and may do everything.
/// </summary>
internal static class ReviewResources
{
    private const string Authorization = "authorization.k8s.io";

    public static IEnumerable<Resource> All(SchemaReader schemas) =>
    [
        Question(schemas, Authorization, typeof(V1SelfSubjectAccessReview), "SelfSubjectAccessReview", Allowed) with { Validate = ValidateAccess },
        Question(schemas, Authorization, typeof(V1SelfSubjectRulesReview), "SelfSubjectRulesReview", Everything),
        Question(schemas, "authentication.k8s.io", typeof(V1SelfSubjectReview), "SelfSubjectReview", Administrator),
    ];

    private static Resource Question(SchemaReader schemas, string group, Type type, string kind, Func<JsonObject, JsonObject> answer)
    {
#pragma warning disable CA1308 // resources are written in lower case
        var singular = kind.ToLowerInvariant();
#pragma warning restore CA1308
        return new()
        {
            Group = group,
            Kind = kind,
            Plural = singular + "s",
            Singular = singular,
            IsNamespaced = false,
            HasStatus = false,
            Schema = schemas.Read(type),
            WrittenBy = new WrittenBy.Nobody(answer),
            Columns = [TableColumn.ObjectName],
            Cells = static (JsonElement document, DateTimeOffset _) => [document.ObjectName()],
        };
    }

    private static JsonObject Allowed(JsonObject question) => new() { ["allowed"] = true, ["reason"] = "the administrator may do everything" };

    private static JsonObject Everything(JsonObject question) => new()
    {
        ["resourceRules"] = new JsonArray(new JsonObject
        {
            ["verbs"] = new JsonArray("*"),
            ["apiGroups"] = new JsonArray("*"),
            ["resources"] = new JsonArray("*"),
        }),
        ["nonResourceRules"] = new JsonArray(new JsonObject { ["verbs"] = new JsonArray("*"), ["nonResourceURLs"] = new JsonArray("*") }),
        ["incomplete"] = false,
    };

    private static JsonObject Administrator(JsonObject question) => new()
    {
        ["userInfo"] = new JsonObject { ["username"] = "admin", ["groups"] = new JsonArray("system:masters", "system:authenticated") },
    };

    private static void ValidateAccess(JsonObject? stored, JsonObject question, Causes causes)
    {
        if (question.At("spec", "resourceAttributes") is null == question.At("spec", "nonResourceAttributes") is null)
        {
            causes.Invalid(
                "spec.resourceAttributes",
                question.At("spec", "resourceAttributes"),
                "exactly one of nonResourceAttributes or resourceAttributes must be specified");
        }
    }
}
