using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using k8s.Models;

namespace Mesh.ApiServer.Schemas;

/// <summary>Reads schemas from the classes of the KubernetesClient package, each type once. Not for two threads.</summary>
internal sealed partial class SchemaReader
{
    // The classes have one type for Go's two: these fields are metav1.MicroTime.
    private static readonly FrozenSet<(string Type, string Field)> MicroTimes = FrozenSet.ToFrozenSet(
    [
        ("V1LeaseSpec", "acquireTime"), ("V1LeaseSpec", "renewTime"), ("Corev1Event", "eventTime"), ("Corev1EventSeries", "lastObservedTime"),
    ]);

    private readonly Dictionary<Type, ObjectSchema> _known = [];

    public ObjectSchema Read(Type type)
    {
        if (_known.TryGetValue(type, out var known))
        {
            return known;
        }

        var schema = new ObjectSchema(NameOf(type), type.Name);
        _known.Add(type, schema); // before its fields: types may contain themselves
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (property.GetCustomAttribute<JsonPropertyNameAttribute>() is { Name: var name })
            {
                var shape = MicroTimes.Contains((type.Name, name)) ? new Shape.MicroTime() : ShapeOf(property.PropertyType);
                schema.Add(new Field(name, property.Name, shape, MergeRules.For(type, name)));
            }
        }

        return schema;
    }

    // The classes are named after group, version and kind: V1Pod, Corev1Event, Discoveryv1EndpointPort.
    private static string NameOf(Type type)
    {
        var parts = VersionedName().Match(type.Name);
#pragma warning disable CA1308 // API versions are written in lower case
        return parts.Success ? $"io.k8s.{parts.Groups["version"].Value.ToLowerInvariant()}.{parts.Groups["kind"].Value}" : $"io.k8s.{type.Name}";
#pragma warning restore CA1308
    }

    private Shape ShapeOf(Type declared)
    {
        var type = Nullable.GetUnderlyingType(declared) ?? declared;
        if (type == typeof(byte[]))
        {
            return new Shape.Bytes();
        }

        if (type.IsGenericType)
        {
            var arguments = type.GetGenericArguments();
            return arguments.Length == 2 ? new Shape.MapOf(ShapeOf(arguments[1])) : new Shape.ListOf(ShapeOf(arguments[0]));
        }

        return Type.GetTypeCode(type) switch
        {
            TypeCode.String => new Shape.Text(),
            TypeCode.Int32 => new Shape.Number(Is64Bit: false),
            TypeCode.Int64 => new Shape.Number(Is64Bit: true),
            TypeCode.Boolean => new Shape.Flag(),
            TypeCode.DateTime => new Shape.Time(),
            _ when type == typeof(object) => new Shape.Anything(),
            _ when type == typeof(IntOrString) => new Shape.NumberOrText(),
            _ when type == typeof(ResourceQuantity) => new Shape.Quantity(),
            TypeCode.Object => new Shape.Structure(Read(type)),
            _ => throw new NotSupportedException($"No shape is known for {type}."),
        };
    }

    [GeneratedRegex("^([A-Z][a-z]+)?(?<version>[Vv][0-9]+)(?<kind>[A-Z].*)$")]
    private static partial Regex VersionedName();
}
