using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Resources;
using Mesh.Core.Labels;
using Mesh.Storage;

namespace Mesh.ApiServer.Selectors;

/// <summary>Which objects of a kind a list, watch or collection is about: namespace, name, labels and fields.</summary>
internal sealed class ObjectFilter
{
    /// <summary>Each object of a list is held against all of them.</summary>
    public const int MaxRequirements = 64;

    private readonly string _namespace;
    private readonly string _name;
    private readonly LabelSelector _labels;
    private readonly FieldSelector _fields;

    private ObjectFilter(string ns, string name, LabelSelector labels, FieldSelector fields)
    {
        _namespace = ns;
        _name = name;
        _labels = labels;
        _fields = fields;
    }

    /// <summary>Every object of the kind, namespace and name matches: no document needs to be read.</summary>
    public bool IsByKeyOnly => _labels.Requirements.IsEmpty && _fields.Requirements.IsEmpty;

    public static Outcome<ObjectFilter> Parse(Resource resource, string ns, string name, string labelSelector, string fieldSelector)
    {
        if (!LabelSelector.TryParse(labelSelector, out var labels, out var badLabels))
        {
            return ApiStatus.BadRequest(badLabels!);
        }

        if (!FieldSelector.TryParse(fieldSelector, out var fields, out var badFields))
        {
            return ApiStatus.BadRequest(badFields!);
        }

        if (labels.Requirements.Length + fields.Requirements.Length > MaxRequirements)
        {
            return ApiStatus.BadRequest($"the selectors have more than {MaxRequirements} requirements");
        }

        return fields.Requirements.FirstOrDefault(requirement => !IsKnown(resource, requirement.Field)) is { } unknown
            ? ApiStatus.BadRequest($"field label not supported: {unknown.Field}")
            : new ObjectFilter(
                ns.Length > 0 ? ns : fields.Exactly("metadata.namespace") ?? "",
                name.Length > 0 ? name : fields.Exactly("metadata.name") ?? "",
                labels,
                fields);
    }

    /// <summary>Whether it can be, by namespace and name alone.</summary>
    public bool MayMatch(string ns, string name) =>
        (_namespace.Length == 0 || ns == _namespace) && (_name.Length == 0 || name == _name);

    public bool Matches(StoredObject stored)
    {
        if (!MayMatch(stored.Key.Namespace, stored.Key.Name))
        {
            return false;
        }

        if (IsByKeyOnly)
        {
            return true;
        }

        return _labels.Matches(stored.Label) && _fields.Matches(field => Field(stored, field));
    }

    private static string Field(StoredObject stored, string path) => path switch
    {
        "metadata.name" => stored.Key.Name,
        "metadata.namespace" => stored.Key.Namespace,
        "source" => stored.Field(path) is { Length: > 0 } text ? text : stored.Field("source.component"), // an Event's is selected by its component
        "spec.hostNetwork" or "spec.unschedulable" => stored.Field(path) is { Length: > 0 } text ? text : "false", // as in Go
        _ => stored.Field(path),
    };

    private static bool IsKnown(Resource resource, string path) =>
        path == "metadata.name" || (path == "metadata.namespace" && resource.IsNamespaced) || resource.SelectableFields.Contains(path);
}
