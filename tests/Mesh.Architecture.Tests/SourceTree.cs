using System.Text.RegularExpressions;

namespace Mesh.Architecture.Tests;

/// <summary>The files of a repository, this one or a planted one, as the rules see them.</summary>
internal sealed class SourceTree(string root)
{
    private static readonly string[] CodeFolders = ["src", "silo", "client", "tests"];

    public string Root => root;

    /// <summary>The repository that these tests were built from.</summary>
    public static SourceTree OfThisRepository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Mesh.sln")))
        {
            folder = folder.Parent;
        }

        return new SourceTree(folder?.FullName ?? throw new DirectoryNotFoundException("No Mesh.sln above the tests."));
    }

    public IEnumerable<string> Projects() => Files("*.csproj");

    public IEnumerable<string> Code() => Files("*.cs");

    public IEnumerable<string> ProductCode() => Code().Where(file => !file.StartsWith("tests/", StringComparison.Ordinal));

    public IEnumerable<string> TestCode() => Code().Where(file => file.StartsWith("tests/", StringComparison.Ordinal));

    /// <summary>Files below the folders of code, not those at the root.</summary>
    public IEnumerable<string> BuildFiles(string pattern) => Files(pattern);

    public string Read(string file) => File.ReadAllText(Path.Combine(root, file));

    public bool Has(string file) => File.Exists(Path.Combine(root, file));

    /// <summary>Path of the project file that a source file belongs to.</summary>
    public string? ProjectOf(string file)
    {
        for (var folder = Path.GetDirectoryName(file); !string.IsNullOrEmpty(folder); folder = Path.GetDirectoryName(folder))
        {
            var project = $"{folder}/{Path.GetFileName(folder)}.csproj".Replace('\\', '/');
            if (Has(project))
            {
                return project;
            }
        }

        return null;
    }

    private IEnumerable<string> Files(string pattern) =>
        from folder in CodeFolders
        let full = Path.Combine(root, folder)
        where Directory.Exists(full)
        from file in Directory.EnumerateFiles(full, pattern, SearchOption.AllDirectories)
        let relative = Path.GetRelativePath(root, file).Replace('\\', '/')
        where !Regex.IsMatch(relative, "/(obj|bin|artifacts)/")
        orderby relative
        select relative;
}
