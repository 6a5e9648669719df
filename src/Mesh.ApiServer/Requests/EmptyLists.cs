using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Mesh.ApiServer.Requests;

/// <summary>
/// Kinds that are not served, and of which there are therefore none: <c>kubectl cluster-info dump</c> lists them without
/// asking which kinds there are, and ends at the first that is not found.
/// </summary>
internal static class EmptyLists
{
    private static readonly FrozenDictionary<string, string> Kinds = new Dictionary<string, string>
    {
        ["v1/replicationcontrollers"] = "ReplicationController",
        ["apps/v1/daemonsets"] = "DaemonSet",
        ["apps/v1/deployments"] = "Deployment",
        ["apps/v1/replicasets"] = "ReplicaSet",
    }.ToFrozenDictionary();

    /// <summary>Null: no list of such a kind.</summary>
    /// <param name="version">The store's, as of which there are none.</param>
    public static JsonObject? Find(string path, long version) => path.Trim('/').Split('/') switch
    {
        ["api", "v1", "namespaces", _, var plural] => Of("v1", plural, version),
        ["api", "v1", var plural] => Of("v1", plural, version),
        ["apis", "apps", "v1", "namespaces", _, var plural] => Of("apps/v1", plural, version),
        ["apis", "apps", "v1", var plural] => Of("apps/v1", plural, version),
        _ => null,
    };

    private static JsonObject? Of(string apiVersion, string plural, long version) =>
        Kinds.TryGetValue($"{apiVersion}/{plural}", out var kind)
            ? new JsonObject
            {
                ["kind"] = $"{kind}List",
                ["apiVersion"] = apiVersion,
                ["metadata"] = new JsonObject { ["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture) },
                ["items"] = new JsonArray(),
            }
            : null;
}
