using System.Globalization;

namespace Mesh.Client;

/// <summary>
/// Reads settings into options, by hand, so that trimming and ahead-of-time compilation keep it. A setting is its key below the
/// section (<c>NodeUrl</c>, <c>Labels:app</c>) and its text. What cannot be read is a problem of the options, and changes
/// nothing of them.
/// </summary>
internal static class MeshSettings
{
    /// <summary>The section of the configuration that the options are read from.</summary>
    public const string Section = "Mesh";

    private const string Labels = "Labels:";
    private const string Annotations = "Annotations:";
    private const string Ports = "Ports:";
    private const string Tags = "HealthCheckTags:";

    public static void Apply(MeshOptions options, IEnumerable<KeyValuePair<string, string?>> settings)
    {
        foreach (var (key, text) in settings)
        {
            if (Below(key, Labels) is { } label)
            {
                Put(options, options.Labels, key, label, text);
            }
            else if (Below(key, Annotations) is { } annotation)
            {
                Put(options, options.Annotations, key, annotation, text);
            }
            else if (Below(key, Ports) is { } port)
            {
                PutPort(options, key, port, text);
            }
            else if (Below(key, Tags) is not null && text is { Length: > 0 })
            {
                options.HealthCheckTags.Add(text);
            }
            else if (text is { Length: > 0 })
            {
                Set(options, key, text);
            }
        }
    }

    private static void Set(MeshOptions options, string key, string text)
    {
        switch (key.ToUpperInvariant())
        {
            case "ENABLED":
                options.Enabled = Switch(options, key, text, "MESH_ENABLED") ?? options.Enabled;
                break;
            case "NODEURL":
                options.NodeUrl = text;
                break;
            case "NAMESPACE":
                options.Namespace = text;
                break;
            case "PODNAME":
                options.PodName = text;
                break;
            case "ADDRESS":
                options.Address = text;
                break;
            case "FAILFAST":
                options.FailFast = Switch(options, key, text, variable: null) ?? options.FailFast;
                break;
            case "DRAINTIMEOUT":
                options.DrainTimeout = Wait(options, key, text) ?? options.DrainTimeout;
                break;
            case "DRAINDELAY":
                options.DrainDelay = Wait(options, key, text) ?? options.DrainDelay;
                break;
            case "ALLOCATETIMEOUT":
                options.AllocateTimeout = Wait(options, key, text) ?? options.AllocateTimeout;
                break;
            case "REGISTERTIMEOUT":
                options.RegisterTimeout = Wait(options, key, text) ?? options.RegisterTimeout;
                break;
            case "WHENDELETED":
                options.WhenDeleted = Deletion(options, text) ?? options.WhenDeleted;
                break;
            case "HEALTHCHECKNAME":
                options.HealthCheckName = text;
                break;
            default:
                break; // other packages have settings in this section
        }
    }

    private static string? Below(string key, string section) =>
        key.Length > section.Length && key.StartsWith(section, StringComparison.OrdinalIgnoreCase) ? key[section.Length..] : null;

    /// <summary>A label may be empty; one without a value was written without its <c>=</c>.</summary>
    private static void Put(MeshOptions options, IDictionary<string, string> into, string key, string name, string? text)
    {
        if (text is null)
        {
            options.Unread($"Mesh:{key} has no value; in MESH_LABELS they are key=value pairs, joined by commas.");
            return;
        }

        into[name] = text;
    }

    private static void PutPort(MeshOptions options, string key, string name, string? text)
    {
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            options.Unread($"Mesh:{key} is '{text}'; a port must be a number (in MESH_PORTS they are name=number pairs, joined by commas).");
            return;
        }

        options.Ports[name] = number;
    }

    private static bool? Switch(MeshOptions options, string key, string text, string? variable)
    {
        if (bool.TryParse(text, out var value))
        {
            return value;
        }

        options.Unread($"Mesh:{key}{(variable is null ? "" : $" ({variable})")} is '{text}'; it must be true or false.");
        return null;
    }

    private static TimeSpan? Wait(MeshOptions options, string key, string text)
    {
        if (TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var value))
        {
            return value;
        }

        options.Unread($"Mesh:{key} is '{text}'; it must be a time such as 00:00:05.");
        return null;
    }

    private static MeshDeletion? Deletion(MeshOptions options, string text)
    {
        if (Enum.TryParse<MeshDeletion>(text, ignoreCase: true, out var value) && Enum.IsDefined(value))
        {
            return value;
        }

        options.Unread($"Mesh:WhenDeleted (MESH_WHEN_DELETED) is '{text}'; it must be stay, stop or register.");
        return null;
    }
}
