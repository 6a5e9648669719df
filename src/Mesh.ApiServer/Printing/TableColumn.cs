namespace Mesh.ApiServer.Printing;

/// <summary>One column of <c>kubectl get</c>; a wide one shows with <c>-o wide</c> only.</summary>
public sealed record TableColumn(string Name, string Type, string Format, bool IsWide)
{
    public static TableColumn ObjectName { get; } = new("Name", "string", "name", false);

    public static TableColumn Age { get; } = Text("Age");

    public static TableColumn Text(string name) => new(name, "string", "", false);

    public static TableColumn Wide(string name) => new(name, "string", "", true);
}
