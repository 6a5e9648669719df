namespace Mesh.Grains.Ingresses;

/// <summary>Many names in few words: an Event has no room for all of many, nor for very long ones.</summary>
internal static class Listing
{
    private const int Most = 3;
    private const int Longest = 150;

    public static string Of(IReadOnlyCollection<string> names)
    {
        var more = names.Count > Most ? $" and {names.Count - Most} more" : "";
        return $"{string.Join(", ", names.Take(Most).Select(Clipped))}{more}";
    }

    private static string Clipped(string name) => name.Length > Longest ? name[..Longest] + "…" : name;
}
