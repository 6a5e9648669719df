using System.Globalization;
using System.Text.Json;
using Mesh.Core.Names;
using Mesh.Core.Services;
using Mesh.Grains.Abstractions.Delivery;
using Mesh.Storage;

namespace Mesh.Grains.Projections;

/// <summary>What EndpointSlices and Endpoints of one Service are made from, at one moment.</summary>
/// <param name="Object">The Service as stored.</param>
/// <param name="Rows">Its endpoints, tombstones left out.</param>
internal sealed record Mirrored(Service Service, StoredObject Object, IReadOnlyList<EndpointRow> Rows)
{
    public const string TriggerTime = "endpoints.kubernetes.io/last-change-trigger-time";
    public const string OverCapacity = "endpoints.kubernetes.io/over-capacity";
    private const string HeadlessLabel = "service.kubernetes.io/headless";
    private const string SliceLabels = "endpointslice.kubernetes.io/";

    public NamespacedName Name => Service.Name;

    /// <summary>A Service that selects no Pods has neither slices nor Endpoints of Mesh's making.</summary>
    public bool IsSelecting => Services.EndpointSource.IsSelecting(Service);

    /// <summary>The Service's labels; those that say who manages a slice are not for copying.</summary>
    public SortedDictionary<string, string> Labels()
    {
        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal);
        using var document = JsonDocument.Parse(Object.Document);
        if (document.RootElement.GetProperty("metadata").TryGetProperty("labels", out var own) && own.ValueKind == JsonValueKind.Object)
        {
            foreach (var label in own.EnumerateObject().Where(label => !IsReserved(label.Name)))
            {
                labels[label.Name] = label.Value.GetString() ?? "";
            }
        }

        if (Service.ClusterIPs.IsEmpty)
        {
            labels[HeadlessLabel] = "";
        }

        return labels;
    }

    public object[] Owner() =>
    [
        new { apiVersion = "v1", kind = "Service", name = Name.Name, uid = Service.Uid, controller = true, blockOwnerDeletion = true },
    ];

    public static string Protocol(byte protocol) => ((TransportProtocol)protocol).Word();

    public static string PortKey(EndpointRow row) =>
        string.Join(';', row.Ports.Select(port => string.Create(CultureInfo.InvariantCulture, $"{port.Name}/{port.Protocol}/{port.Number}")));

    public object Target(EndpointRow row) => new { kind = "Pod", @namespace = Name.Namespace, name = row.PodName, uid = row.Order.Uid };

    public static string Time(DateTimeOffset at) => at.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static string NanoTime(DateTimeOffset at) => at.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);

    private static bool IsReserved(string label) =>
        label.StartsWith(SliceLabels, StringComparison.Ordinal) || label is HeadlessLabel or Services.OwnSlices.ServiceLabel;
}
