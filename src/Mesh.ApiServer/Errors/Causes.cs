using System.Globalization;
using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.Core.Json;

namespace Mesh.ApiServer.Errors;

/// <summary>
/// Collects everything that is wrong with one object, in the words of Kubernetes' <c>field.Error</c>
/// (apimachinery pkg/util/validation/field/errors.go).
/// </summary>
public sealed class Causes
{
    private readonly List<Cause> _all = [];

    public IReadOnlyList<Cause> All => _all;

    public void Required(string field, string detail = "") =>
        Add("FieldValueRequired", field, detail.Length == 0 ? "Required value" : $"Required value: {detail}");

    public void Invalid(string field, JsonNode? value, string detail) =>
        Add("FieldValueInvalid", field, $"Invalid value: {Render(value)}: {detail}");

    public void Forbidden(string field, string detail) => Add("FieldValueForbidden", field, $"Forbidden: {detail}");

    public void Duplicate(string field, JsonNode? value) => Add("FieldValueDuplicate", field, $"Duplicate value: {Render(value)}");

    public void TooLong(string field, int limit) =>
        Add("FieldValueTooLong", field, string.Create(CultureInfo.InvariantCulture, $"Too long: may not be more than {limit} bytes"));

    public void TooMany(string field, int count, int limit) =>
        Add("FieldValueTooMany", field, string.Create(CultureInfo.InvariantCulture, $"Too many: {count}: must have at most {limit} items"));

    public void NotSupported(string field, JsonNode? value, params string[] supported) =>
        Add(
            "FieldValueNotSupported",
            field,
            $"Unsupported value: {Render(value)}: supported values: {string.Join(", ", supported.Order(StringComparer.Ordinal).Select(Quote))}");

    private void Add(string reason, string field, string message)
    {
        var cause = new Cause(reason, field, message);
        if (!_all.Contains(cause))
        {
            _all.Add(cause);
        }
    }

    private static string Render(JsonNode? value) => value.AsText() is { } text ? Quote(text) : value?.ToJsonString(MeshJson.Options) ?? "null";

    private static string Quote(string text) => JsonValue.Create(text).ToJsonString(MeshJson.Options);
}
