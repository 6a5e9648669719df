using System.Collections.Immutable;
using System.Text.Json;
using Mesh.Core.Labels;
using Mesh.Core.Names;
using Mesh.Core.Pods;
using Mesh.Core.Services;

namespace Mesh.Agent.Registrations;

/// <summary>Reads the body of a PUT or PATCH. Every refusal is a <see cref="FormatException"/> whose sentence names the field.</summary>
internal static class RegistrationParser
{
    /// <summary>Each is connected to once a second while nothing else tells readiness.</summary>
    public const int MaxPorts = 64;

    public static Registration Read(ReadOnlyMemory<byte> body) => Parse(body, root =>
    {
        StrictFields.Only(root, "", "labels", "annotations", "ports", "address", "ready", "readinessProbe");
        return new Registration
        {
            Labels = Map(root, "labels", NameRules.IsLabelValue),
            Annotations = Annotations(root),
            Ports = Ports(root),
            Address = Address(root),
            Ready = Flag(root, "ready"),
            ReadinessProbe = ProbeReader.Read(root),
        };
    });

    public static RegistrationPatch ReadPatch(ReadOnlyMemory<byte> body) => Parse(body, root =>
    {
        StrictFields.Only(root, "", "labels", "annotations", "ready");
        var removesReady = root.TryGetProperty("ready", out var ready) && ready.ValueKind == JsonValueKind.Null;
        var annotations = Changes(root, "annotations", _ => true);
        RefuseOwn(annotations.Select(change => change.Key));
        return new RegistrationPatch(Changes(root, "labels", NameRules.IsLabelValue), annotations, Flag(root, "ready"), removesReady);
    });

    private static T Parse<T>(ReadOnlyMemory<byte> body, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? read(document.RootElement)
                : throw new FormatException("The body is not a JSON object.");
        }
        catch (JsonException malformed)
        {
            throw new FormatException($"The body is not JSON: {malformed.Message}", malformed);
        }
        catch (InvalidOperationException text)
        {
            // A string with a lone surrogate escape is legal JSON and no text.
            throw new FormatException($"The body has text that is not Unicode: {text.Message}", text);
        }
    }

    private static ImmutableSortedDictionary<string, string> Annotations(JsonElement root)
    {
        var annotations = Map(root, "annotations", _ => true);
        RefuseOwn(annotations.Keys);
        return annotations;
    }

    private static void RefuseOwn(IEnumerable<string> annotations)
    {
        if (annotations.FirstOrDefault(key => key.StartsWith(MeshAnnotations.Prefix, StringComparison.Ordinal) && key != MeshAnnotations.Readiness) is { } own)
        {
            throw new FormatException($"annotations: '{own}' is Mesh's own.");
        }
    }

    private static bool? Flag(JsonElement root, string name)
    {
        if (!root.TryGetProperty(name, out var field) || field.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        return field.ValueKind is JsonValueKind.True or JsonValueKind.False ? field.GetBoolean() : throw new FormatException($"{name}: must be true or false.");
    }

    private static ImmutableSortedDictionary<string, string> Map(JsonElement root, string name, Func<string, bool> isValue)
    {
        var map = LabelMap.Empty.ToBuilder();
        foreach (var (key, value) in Changes(root, name, isValue))
        {
            map[key] = value ?? throw new FormatException($"{name}: the value of '{key}' must be a string.");
        }

        return map.ToImmutable();
    }

    private static ImmutableArray<KeyValuePair<string, string?>> Changes(JsonElement root, string name, Func<string, bool> isValue)
    {
        if (!root.TryGetProperty(name, out var field) || field.ValueKind == JsonValueKind.Null)
        {
            return [];
        }

        if (field.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException($"{name}: must be an object of strings.");
        }

        var changes = ImmutableArray.CreateBuilder<KeyValuePair<string, string?>>();
        foreach (var pair in field.EnumerateObject())
        {
            if (!NameRules.IsQualifiedName(pair.Name))
            {
                throw new FormatException($"{name}: '{pair.Name}' is not a valid key.");
            }

            var value = pair.Value.ValueKind switch
            {
                JsonValueKind.String => pair.Value.GetString(),
                JsonValueKind.Null => null,
                _ => throw new FormatException($"{name}: the value of '{pair.Name}' must be a string."),
            };
            if (value is not null && !isValue(value))
            {
                throw new FormatException($"{name}: '{value}' is not a valid value of '{pair.Name}'.");
            }

            changes.Add(new(pair.Name, value));
        }

        return changes.ToImmutable();
    }

    private static string Address(JsonElement root)
    {
        if (!root.TryGetProperty("address", out var field) || field.ValueKind == JsonValueKind.Null)
        {
            return Registration.HostAddress;
        }

        var text = field.ValueKind == JsonValueKind.String ? field.GetString()! : throw new FormatException("address: must be a string.");
        return text is Registration.HostAddress or Registration.AllocatedAddress || AddressText.TryParse(text, out _)
            ? text
            : throw new FormatException($"address: '{text}' is neither 'host', 'allocate' nor an IP address.");
    }

    private static ImmutableArray<ContainerPort> Ports(JsonElement root)
    {
        if (!root.TryGetProperty("ports", out var field) || field.ValueKind == JsonValueKind.Null)
        {
            return [];
        }

        if (field.ValueKind != JsonValueKind.Array)
        {
            throw new FormatException("ports: must be an array.");
        }

        if (field.GetArrayLength() > MaxPorts)
        {
            throw new FormatException($"ports: {field.GetArrayLength()} are more than the {MaxPorts} that one registration may have.");
        }

        var ports = ImmutableArray.CreateBuilder<ContainerPort>();
        foreach (var item in field.EnumerateArray())
        {
            var port = Port(item, $"ports[{ports.Count}]");
            if (port.Name is not null && ports.Any(other => other.Name == port.Name))
            {
                throw new FormatException($"ports[{ports.Count}].name: '{port.Name}' occurs twice.");
            }

            // Two names for one number are two ways to mean it; the same said twice is a mistake.
            if (ports.Any(other => (other.Number, other.Protocol) == (port.Number, port.Protocol) && (other.Name is null || port.Name is null)))
            {
                throw new FormatException($"ports[{ports.Count}].containerPort: {port.Number} occurs twice.");
            }

            ports.Add(port);
        }

        return ports.ToImmutable();
    }

    private static ContainerPort Port(JsonElement item, string path)
    {
        if (item.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException($"{path}: must be an object.");
        }

        StrictFields.Only(item, path, "name", "containerPort", "protocol");
        if (!item.TryGetProperty("containerPort", out var number) || !StrictFields.TryNumber(number, out var value) || value is < 1 or > 65535)
        {
            throw new FormatException($"{path}.containerPort: must be a number from 1 to 65535.");
        }

        var name = StrictFields.Text(item, "name", path);
        if (name is not null && NameRules.PortNameProblems(name) is { Count: > 0 } problems)
        {
            throw new FormatException($"{path}.name: '{name}' is not a port name: {string.Join("; ", problems)}.");
        }

        return new ContainerPort(name, value, StrictFields.Text(item, "protocol", path) switch
        {
            null or "TCP" => TransportProtocol.Tcp,
            "UDP" => TransportProtocol.Udp,
            "SCTP" => TransportProtocol.Sctp,
            var other => throw new FormatException($"{path}.protocol: '{other}' is not TCP, UDP or SCTP."),
        });
    }
}
