using System.Text.RegularExpressions;
using Mesh.Testing.Processes;
using Xunit;

namespace Mesh.EndToEnd.Tests.Packages;

/// <summary>
/// What a user writes: a web application with the README's program and the other code of the documents beside it, for each
/// framework, and two that call each other by name.
/// </summary>
internal static partial class OutsideProjects
{
    /// <summary>Only .NET 10 is sure to be there, and so is its launcher: for the others the code is compiled, not run.</summary>
    private const string Frameworks = "net8.0;net9.0;net10.0";

    public static void Write(string home)
    {
        // Whatever stands in a directory above is not for these.
        File.WriteAllText(Path.Combine(home, "Directory.Build.props"), "<Project />\n");
        File.WriteAllText(Path.Combine(home, "Directory.Build.targets"), "<Project />\n");
        File.WriteAllText(Path.Combine(home, "Directory.Packages.props"), "<Project />\n");
        var readme = Code("README.md").First(block => block.Contains("MapMeshHealth", StringComparison.Ordinal));
        WriteProject(home, "my-api", Frameworks, readme);
        File.WriteAllText(Path.Combine(home, "my-api", "Blocks.cs"), Blocks([.. Code("client/README.md"), .. Code("docs/sdk.md"), .. Code("docs/service-discovery.md")]));
        WriteProject(home, "kitchen", "net10.0", Caller("https+http://table/", "http://_http.table/"));
        WriteProject(home, "table", "net10.0", Caller("http://kitchen/", "http://kitchen.default.svc.cluster.local/"));
        File.WriteAllText(Path.Combine(home, "outside.slnx"), """
            <Solution>
              <Project Path="my-api/my-api.csproj" />
              <Project Path="kitchen/kitchen.csproj" />
              <Project Path="table/table.csproj" />
            </Solution>
            """);
    }

    /// <summary>Asked for <c>/other</c>, it asks another Service by one of two names in turn, and says which Pod has answered.</summary>
    private static string Caller(string name, string otherName) => $$"""
        using Mesh.Client;

        var builder = WebApplication.CreateBuilder(args);
        builder.AddMesh();
        builder.Services.AddMeshHttpDefaults();
        var app = builder.Build();
        app.MapMeshHealth();
        var asked = 0;
        app.MapGet("/", (IMeshRegistration mesh) => mesh.Identity?.Name);
        app.MapGet("/other", async (IHttpClientFactory clients) =>
        {
            try
            {
                return Results.Text(await clients.CreateClient().GetStringAsync(Interlocked.Increment(ref asked) % 2 == 0 ? "{{name}}" : "{{otherName}}"));
            }
            catch (HttpRequestException failed)
            {
                return Results.Text(failed.Message, statusCode: 502);
            }
        });
        app.Run();

        """;

    /// <summary>As <c>dotnet new web</c> makes it.</summary>
    private static void WriteProject(string home, string name, string frameworks, string program)
    {
        Directory.CreateDirectory(Path.Combine(home, name));
        File.WriteAllText(Path.Combine(home, name, "Program.cs"), program);
        File.WriteAllText(Path.Combine(home, name, $"{name}.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk.Web">
              <PropertyGroup>
                <TargetFrameworks>{frameworks}</TargetFrameworks>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <LangVersion>14</LangVersion>
                <UseAppHost Condition="'$(TargetFramework)' != 'net10.0'">false</UseAppHost>
                <NuGetAudit>false</NuGetAudit>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Mesh.Client.AspNetCore" Version="{PackedSdk.Version}" />
                <PackageReference Include="Mesh.Client.OpenTelemetry" Version="{PackedSdk.Version}" />
              </ItemGroup>
            </Project>
            """);
    }

    private static IEnumerable<string> Code(string document) =>
        CSharp().Matches(File.ReadAllText(Path.Combine(BuiltProgram.Repository, document))).Select(block => block.Groups[1].Value);

    private static string Blocks(IReadOnlyList<string> blocks)
    {
        Assert.True(blocks.Count >= 5, $"only {blocks.Count} blocks were found");
        var bodies = blocks.Select((block, i) => $"static class Block{i}\n{{\n    public static async Task RunAsync(string[] args)\n    {{\nawait Task.CompletedTask;\n{Using().Replace(block, "")}    }}\n}}\n");
        return string.Concat(blocks.SelectMany(block => Using().Matches(block).Select(match => match.Value)).Distinct()) + string.Concat(bodies);
    }

    [GeneratedRegex("^```csharp\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CSharp();

    [GeneratedRegex("^using [A-Z][A-Za-z.]*;\n", RegexOptions.Multiline)]
    private static partial Regex Using();
}
