using System.Text;
using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Schemas;

namespace Mesh.ApiServer.Patching;

/// <summary>
/// What <c>kubectl apply</c> means by a patch of ports of one number. It computes the patch by the number alone: of 53/UDP and
/// 53/TCP it may name either, both without their protocols, or the wrong one. But each such patch also carries the manifest
/// that was applied, and that says which ports are wanted.
/// </summary>
internal static class AppliedPorts
{
    private const string Manifest = "kubectl.kubernetes.io/last-applied-configuration";

    /// <summary>Names, in the patch, the protocol of every item whose number is not enough to tell it.</summary>
    /// <exception cref="FormatException">There are too many ports to compare each with each.</exception>
    public static void Resolve(JsonObject target, JsonObject patch, ObjectSchema schema)
    {
        if ((schema.Fields.GetValueOrDefault("spec")?.Shape as Shape.Structure)?.Schema.Fields.GetValueOrDefault("ports")?.Merge is not { Beside.Length: > 0 } rule
            || patch.At("spec", "ports") is not JsonArray items)
        {
            return;
        }

        StrategicMergePatch.RequireFew(items.Count);
        if (Applied(patch) is not { } applied)
        {
            return;
        }

        StrategicMergePatch.RequireFew(applied.Count);
        var wanted = ByNumber(applied, rule);
        var live = ByNumber(target.At("spec", "ports").AsList().OfType<JsonObject>(), rule);
        var before = ByNumber(Applied(target) is { Count: <= StrategicMergePatch.MaxItems } last ? last : [], rule);
        foreach (var key in items.Select(item => item.At(rule.Key).AsNumber()).OfType<long>().Distinct().ToList())
        {
            JsonObject[] now = [.. wanted[key]];
            JsonObject[] there = [.. live[key]];
            if (now.Length > 1 || there.Length > 1 || (now.Length == 1 && there.Length == 1 && !IsOne(now[0], there[0], rule)))
            {
                Name(items, key, now, there, [.. before[key]], rule);
            }
        }
    }

    private static void Name(JsonArray items, long key, JsonObject[] now, JsonObject[] there, JsonObject[] before, MergeRule rule)
    {
        ListMerge.RemoveAll(items, rule.Key, JsonValue.Create(key));
        foreach (var gone in there.Where(port => !now.Any(other => IsOne(other, port, rule)) && before.Any(other => IsOne(other, port, rule))))
        {
            items.Add(new JsonObject { ["$patch"] = "delete", [rule.Key] = key, [rule.Beside] = ListMerge.Beside(gone, rule) });
        }

        foreach (var port in now)
        {
            var item = (JsonObject)port.DeepClone();
            foreach (var left in before.Where(other => IsOne(other, port, rule)).SelectMany(other => other).Where(member => !port.ContainsKey(member.Key)))
            {
                item[left.Key] = null; // the manifest had it, and has it no longer
            }

            item[rule.Beside] = ListMerge.Beside(port, rule);
            items.Add(item);
        }
    }

    private static ILookup<long?, JsonObject> ByNumber(IEnumerable<JsonObject> ports, MergeRule rule) => ports.ToLookup(port => port.At(rule.Key).AsNumber());

    private static bool IsOne(JsonObject one, JsonObject other, MergeRule rule) => ListMerge.Beside(one, rule) == ListMerge.Beside(other, rule);

    /// <summary>The ports of the manifest; null when there is none that can be read: whoever wrote it, it was not kubectl.</summary>
    private static List<JsonObject>? Applied(JsonObject document) =>
        document.At("metadata", "annotations", Manifest).AsText() is { } text && DocumentReader.Read(Encoding.UTF8.GetBytes(text)).Value is { } manifest
            ? [.. manifest.Root.At("spec", "ports").AsList().OfType<JsonObject>()]
            : null;
}
