using Mesh.Core.Ingresses;
using Mesh.Core.Names;

namespace Mesh.Core.Routing;

/// <summary>The Ingresses that were told, and the table of those that are routed; of the others no rule reaches a snapshot.</summary>
internal sealed class IngressObjects
{
    private readonly HeldObjects _held = new();
    private readonly ToldSet _classes = new(); // those whose controller is Mesh's
    private readonly Dictionary<NamespacedName, Ingress> _told = []; // routed or not

    public IngressTable Table { get; private set; } = IngressTable.Empty;

    public SniTable Names { get; private set; } = SniTable.Empty;

    /// <exception cref="FormatException">The document is no admitted Ingress; nothing changed.</exception>
    public void Apply(ObjectDocument document, int generation)
    {
        switch (_held.Judge(document))
        {
            case HeldObjects.Verdict.Older:
                _held.HoldOlder(document, generation, Parse);
                break;
            case HeldObjects.Verdict.Same:
                _held.Hold(document, generation);
                break;
            default:
                Route(Parse(document));
                _held.Hold(document, generation);
                break;
        }
    }

    public void Remove(NamespacedName name, string uid, int sweep)
    {
        if (_held.TryRemove(name, uid, sweep))
        {
            Drop(name);
        }
    }

    public void Apply(RoutingChange.IngressClass named, int generation)
    {
        if (_classes.Tell(named.Name, named.IsOurs, generation))
        {
            RouteAgain(named.Name);
        }
    }

    /// <summary>Drops what was not told since the resync began; an older version that was told instead takes its place.</summary>
    public void DropUntold(int generation)
    {
        foreach (var (name, older) in _held.Untold(generation))
        {
            _held.Drop(name);
            Drop(name);
            if (older is not null)
            {
                Route(Parse(older));
                _held.Hold(older, generation);
            }
        }
    }

    public void DropUntoldClasses(int generation)
    {
        foreach (var name in _classes.DropUntold(generation))
        {
            RouteAgain(name);
        }
    }

    public void DropTombstones(int before) => _held.DropTombstones(before);

    private void Route(Ingress ingress)
    {
        _told[ingress.Name] = ingress;
        var isRouted = IngressAcceptance.WhyNot(ingress, _classes.Contains) is null;
        Table = isRouted ? Table.With(ingress) : Table.Without(ingress.Name);
        Names = isRouted ? Names.With(ingress) : Names.Without(ingress.Name);
    }

    private void Drop(NamespacedName name)
    {
        _told.Remove(name);
        Table = Table.Without(name);
        Names = Names.Without(name);
    }

    /// <summary>Classes come and go rarely, so every Ingress is looked at.</summary>
    private void RouteAgain(string className)
    {
        foreach (var ingress in _told.Values.Where(ingress => ingress.ClassName == className).ToArray())
        {
            Route(ingress);
        }
    }

    private static Ingress Parse(ObjectDocument document)
    {
        var ingress = IngressParser.Parse(document.Document, document.CreatedVersion);
        return ingress.Name == document.Name
            ? ingress with { Uid = document.Uid, ResourceVersion = document.ResourceVersion }
            : throw new FormatException($"The document of Ingress {document.Name} is that of {ingress.Name}.");
    }
}
