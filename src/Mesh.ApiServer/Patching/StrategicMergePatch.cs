using System.Text.Json.Nodes;
using Mesh.ApiServer.Documents;
using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Schemas;

namespace Mesh.ApiServer.Patching;

/// <summary>
/// Strategic merge patch: a merge patch that knows which lists are merged item by item, and by which key
/// (apimachinery pkg/util/strategicpatch). kubectl apply and kubectl edit send it.
/// </summary>
internal static class StrategicMergePatch
{
    private const string Directive = "$patch";
    private const string RetainKeys = "$retainKeys";
    private const string OrderPrefix = "$setElementOrder/";
    private const string DeletePrefix = "$deleteFromPrimitiveList/";

    /// <summary>Items are found by comparing each with each.</summary>
    public const int MaxItems = 2000;

    public static Outcome<JsonObject> Apply(JsonObject document, JsonObject patch, ObjectSchema schema)
    {
        try
        {
            patch = (JsonObject)patch.DeepClone(); // it may be applied again, to a newer object
            AppliedPorts.Resolve(document, patch, schema);
            return MergeObject(document, patch, schema);
        }
        catch (FormatException malformed)
        {
            return ApiStatus.BadRequest($"the patch cannot be applied: {malformed.Message}");
        }
    }

    /// <exception cref="FormatException">A list is too long.</exception>
    public static void RequireFew(int items)
    {
        if (items > MaxItems)
        {
            throw new FormatException($"a list has more than {MaxItems} items");
        }
    }

    /// <exception cref="FormatException">The patch is malformed.</exception>
    private static JsonObject MergeObject(JsonObject target, JsonObject patch, ObjectSchema? schema)
    {
        switch (patch.At(Directive).AsText())
        {
            case null or "merge":
                break;
            case "replace":
                return WithoutDirectives(patch);
            case "delete":
                return [];
            case var unknown:
                throw new FormatException($"unknown {Directive} \"{unknown}\"");
        }

        Retain(target, patch);
        foreach (var (name, change) in patch)
        {
            if (name is Directive or RetainKeys || name.StartsWith(OrderPrefix, StringComparison.Ordinal))
            {
                continue;
            }

            if (name.StartsWith(DeletePrefix, StringComparison.Ordinal))
            {
                ListMerge.RemovePrimitives(target.At(name[DeletePrefix.Length..]) as JsonArray, change as JsonArray);
                continue;
            }

            MergeMember(target, name, change, patch.At(OrderPrefix + name) as JsonArray, schema?.Fields.GetValueOrDefault(name));
        }

        OrderAlone(target, patch, schema);
        return target;
    }

    private static void MergeMember(JsonObject target, string name, JsonNode? change, JsonArray? order, Field? field)
    {
        switch (change)
        {
            case null:
                target.Remove(name);
                break;
            case JsonObject members when target.At(name) is JsonObject before:
                var merged = MergeObject(before, members, SchemaOf(field?.Shape));
                if (!ReferenceEquals(before, merged))
                {
                    target[name] = merged;
                }

                break;
            case JsonObject members:
                target[name] = MergeObject([], members, SchemaOf(field?.Shape));
                break;
            case JsonArray items when field?.Merge is { } rule:
                target[name] = MergeItems(target.At(name) as JsonArray, items, order, rule, field.Shape);
                break;
            default:
                target[name] = change.DeepClone();
                break;
        }
    }

    private static JsonArray MergeItems(JsonArray? before, JsonArray changes, JsonArray? order, MergeRule rule, Shape shape)
    {
        RequireFew(Math.Max(changes.Count, order?.Count ?? 0));
        var result = new JsonArray([.. before.AsList().Select(item => item?.DeepClone())]);
        if (rule.Key.Length == 0)
        {
            ListMerge.AddPrimitives(result, changes);
            return order is null ? result : ListMerge.Order(result, order, "");
        }

        if (changes.Any(item => item.At(Directive).AsText() == "replace"))
        {
            return new JsonArray([.. changes.OfType<JsonObject>().Where(item => item.At(Directive) is null).Select(item => item.DeepClone())]);
        }

        var schema = SchemaOf((shape as Shape.ListOf)?.Item);
        foreach (var change in changes)
        {
            if (change is not JsonObject item || item.At(rule.Key) is null)
            {
                throw new FormatException($"an item of a merged list has no \"{rule.Key}\"");
            }

            var index = ListMerge.IndexOf(result, rule, item, order);
            if (item.At(Directive).AsText() == "delete")
            {
                ListMerge.RemoveAll(result, rule, item);
            }
            else if (index >= 0)
            {
                var merged = MergeObject((JsonObject)result[index]!.DeepClone(), item, schema);
                result[index] = merged;
            }
            else
            {
                result.Add(MergeObject([], item, schema));
            }
        }

        return order is null ? result : ListMerge.Order(result, order, rule.Key);
    }

    /// <summary>An order may be given for a list that the patch leaves as it is.</summary>
    private static void OrderAlone(JsonObject target, JsonObject patch, ObjectSchema? schema)
    {
        foreach (var (name, order) in patch.Where(member => member.Key.StartsWith(OrderPrefix, StringComparison.Ordinal)))
        {
            var field = name[OrderPrefix.Length..];
            if (!patch.ContainsKey(field)
                && target.At(field) is JsonArray items
                && order is JsonArray wanted
                && schema?.Fields.GetValueOrDefault(field)?.Merge is { } rule)
            {
                target[field] = ListMerge.Order(new JsonArray([.. items.Select(item => item?.DeepClone())]), wanted, rule.Key);
            }
        }
    }

    private static void Retain(JsonObject target, JsonObject patch)
    {
        if (patch.At(RetainKeys) is JsonArray keys)
        {
            var retained = keys.Select(key => key.AsText()).ToHashSet();
            foreach (var name in target.Select(member => member.Key).Where(name => !retained.Contains(name)).ToList())
            {
                target.Remove(name);
            }
        }
    }

    private static JsonObject WithoutDirectives(JsonObject patch)
    {
        var result = (JsonObject)patch.DeepClone();
        result.Remove(Directive);
        return result;
    }

    private static ObjectSchema? SchemaOf(Shape? shape) => (shape as Shape.Structure)?.Schema;
}
