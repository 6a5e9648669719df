using System.Text.RegularExpressions;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>Every manifest that the documents show or ship is admitted, without a warning of an unknown field.</summary>
public sealed partial class DocumentTests(ApiHost host) : IClassFixture<ApiHost>
{
    private static readonly Dictionary<string, string> Paths = new()
    {
        ["v1/Service"] = "/api/v1/namespaces/default/services",
        ["v1/Pod"] = "/api/v1/namespaces/default/pods",
        ["v1/Namespace"] = "/api/v1/namespaces",
        ["networking.k8s.io/v1/Ingress"] = "/apis/networking.k8s.io/v1/namespaces/default/ingresses",
    };

    [Fact(Timeout = 60_000)]
    public async Task Every_manifest_of_the_documents_is_admitted()
    {
        var manifests = Manifests().ToList();
        Assert.Contains(manifests, manifest => manifest.Source == "README.md");
        Assert.Contains(manifests, manifest => manifest.Source.EndsWith("ingress.yaml", StringComparison.Ordinal));

        foreach (var (source, yaml) in manifests)
        {
            var path = Paths.GetValueOrDefault($"{Field(yaml, "apiVersion")}/{Field(yaml, "kind")}");
            Assert.True(path is not null, $"{source}: a kind that is not served:\n{yaml}");
            var answer = await host.Http.SendAsync("POST", $"{path}?dryRun=All&fieldValidation=Strict", yaml, "application/yaml");
            Assert.True(answer.Code == 201, $"{source}: {answer.Message}\n{yaml}");
        }
    }

    private static IEnumerable<(string Source, string Yaml)> Manifests()
    {
        var root = Root();
        var documents = Directory.EnumerateFiles(Path.Combine(root, "docs"), "*.md", SearchOption.AllDirectories)
            .Append(Path.Combine(root, "README.md"));
        var blocks = from file in documents
                     let text = File.ReadAllText(file)
                     from match in Fence().Matches(text).Concat(Heredoc().Matches(text))
                     select (file, match.Groups["yaml"].Value);
        var files = from file in Directory.EnumerateFiles(Path.Combine(root, "deploy"), "*.yaml", SearchOption.AllDirectories)
                    select (file, File.ReadAllText(file));
        return from source in blocks.Concat(files)
               from part in Separator().Split(source.Item2)
               where Field(part, "kind").Length > 0
               select (Path.GetRelativePath(root, source.file), part);
    }

    private static string Field(string yaml, string name) =>
        Regex.Match(yaml, $@"^{name}:\s*(\S+)\s*$", RegexOptions.Multiline).Groups[1].Value;

    private static string Root()
    {
        var at = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(at, "Mesh.sln")))
        {
            at = Path.GetDirectoryName(at)!;
        }

        return at;
    }

    [GeneratedRegex(@"^```yaml\n(?<yaml>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"<<'?EOF'?\n(?<yaml>.*?)^EOF$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Heredoc();

    [GeneratedRegex(@"^---\s*$", RegexOptions.Multiline)]
    private static partial Regex Separator();
}
