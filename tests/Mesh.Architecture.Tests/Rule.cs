namespace Mesh.Architecture.Tests;

/// <summary>One rule of the house: finds what breaks it, as <c>file: what</c>.</summary>
/// <param name="Planted">A file, and its content, that breaks the rule: the proof that the rule can fail.</param>
internal sealed record Rule(string Name, Func<SourceTree, IEnumerable<string>> Violations, (string File, string Content)[] Planted)
{
    public override string ToString() => Name;
}
