using System.Collections.Immutable;
using System.Text.Json;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Resources;
using Mesh.Storage;

namespace Mesh.ApiServer.Selectors;

/// <summary>Which objects of a kind a list, watch or collection is about: namespace, name, labels and fields.</summary>
internal sealed class ObjectFilter
{
    private readonly string _namespace;
    private readonly string _name;
    private readonly LabelSelector _labels;
    private readonly ImmutableArray<FieldRequirement> _fields;

    private ObjectFilter(string ns, string name, LabelSelector labels, ImmutableArray<FieldRequirement> fields)
    {
        _namespace = ns;
        _name = name;
        _labels = labels;
        _fields = fields;
    }

    /// <summary>Every object of the kind, namespace and name matches: no document needs to be read.</summary>
    private bool IsByKeyOnly => _labels.IsEmpty && _fields.IsEmpty;

    public static Outcome<ObjectFilter> Parse(Resource resource, string ns, string name, string labelSelector, string fieldSelector)
    {
        if (LabelSelector.Parse(labelSelector).IsRefused(out var badLabels, out var labels))
        {
            return badLabels;
        }

        if (FieldRequirement.ParseAll(resource, fieldSelector).IsRefused(out var badFields, out var fields))
        {
            return badFields;
        }

        return new ObjectFilter(ns, name, labels, [.. fields]);
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

        using var document = JsonDocument.Parse(stored.Document);
        var root = document.RootElement;
        return _labels.Matches(root.At("metadata", "labels")) && _fields.All(field => field.Matches(root));
    }
}
