using System.Globalization;

namespace Mesh.ApiServer.Documents;

/// <summary>
/// Where in a document something stands, such as <c>spec.ports[0].port</c>. A chain, rendered only when somebody asks:
/// one long name with many members must not be copied for each of them.
/// </summary>
internal sealed record DocumentPath(DocumentPath? Parent, string Name, int Index)
{
    public static DocumentPath Root { get; } = new(null, "", -1);

    public DocumentPath Member(string name) => new(this, name, -1);

    public DocumentPath Item(int index) => new(this, "", index);

    public override string ToString()
    {
        if (Parent is null)
        {
            return "";
        }

        var before = Parent.ToString();
        return Index >= 0 ? string.Create(CultureInfo.InvariantCulture, $"{before}[{Index}]")
            : before.Length == 0 ? Name
            : $"{before}.{Name}";
    }
}
