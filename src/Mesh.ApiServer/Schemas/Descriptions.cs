namespace Mesh.ApiServer.Schemas;

/// <summary>
/// What the documentation of the KubernetesClient package says of its types and their fields. The build makes one line of
/// each (Descriptions.xslt); they are read when somebody asks for OpenAPI, and forgotten again.
/// </summary>
internal sealed class Descriptions
{
    private const string Lines = "Descriptions.txt";

    private readonly Dictionary<string, string> _all = new(StringComparer.Ordinal);

    private Descriptions()
    {
    }

    public static Descriptions Read()
    {
        var descriptions = new Descriptions();
        using var lines = new StreamReader(typeof(Descriptions).Assembly.GetManifestResourceStream(Lines)!);
        while (lines.ReadLine() is { } line)
        {
            var tab = line.IndexOf('\t', StringComparison.Ordinal);
            if (tab > 0)
            {
                descriptions._all[line[..tab]] = line[(tab + 1)..];
            }
        }

        return descriptions;
    }

    /// <summary>Null when nothing is said of it.</summary>
    /// <param name="source">The class, or the class and its property: <c>V1Secret.Data</c>.</param>
    public string? Of(string source) => _all.GetValueOrDefault(source) is { Length: > 0 } text ? text : null;
}
