using System.Collections.Immutable;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.ApiServer.Errors;
using Mesh.ApiServer.Printing;
using Mesh.ApiServer.Schemas;
using Mesh.Core.Names;
using Mesh.Grains.Abstractions.Objects;

namespace Mesh.ApiServer.Resources;

/// <summary>
/// One kind of the API: data plus its rules. Everything that serves requests is written once, for all kinds, and asks
/// this record.
/// </summary>
public sealed record Resource
{
    /// <summary>Empty for the core group.</summary>
    public string Group { get; init; } = "";

    public string Version { get; init; } = "v1";

    public required string Kind { get; init; }

    public required string Plural { get; init; }

    public required string Singular { get; init; }

    public ImmutableArray<string> ShortNames { get; init; } = [];

    public ImmutableArray<string> Categories { get; init; } = [];

    public bool IsNamespaced { get; init; } = true;

    public required ObjectSchema Schema { get; init; }

    /// <summary>Who commits this kind's objects.</summary>
    public required WrittenBy WrittenBy { get; init; }

    /// <summary>Objects of this kind that nobody stores, beside those that are stored.</summary>
    public Derivation? Derived { get; init; }

    /// <summary>What its objects hold is for who reads them only: nothing of it may be logged.</summary>
    public bool IsConfidential { get; init; }

    /// <summary>Which names objects of this kind may have.</summary>
    public NameRule Names { get; init; } = NameRule.DnsSubdomain;

    /// <summary>An update of an object that does not exist creates it, as Kubernetes does for this kind.</summary>
    public bool CreatesOnUpdate { get; init; }

    /// <summary>A sentence for whoever reads the kind, empty for none.</summary>
    public string ReadWarning { get; init; } = "";

    /// <summary>Has a <c>/status</c> view.</summary>
    public bool HasStatus { get; init; } = true;

    /// <summary><c>metadata.generation</c> counts changes of the spec.</summary>
    public bool CountsGenerations { get; init; }

    /// <summary>Subresources that kubectl asks for and that Mesh cannot answer, with the sentence that says why.</summary>
    public ImmutableSortedDictionary<string, string> NotImplemented { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Fills in what a client may leave out.</summary>
    public Action<JsonObject> Default { get; init; } = static _ => { };

    /// <summary>The status of a new object; clients cannot set it.</summary>
    public Func<JsonObject?> InitialStatus { get; init; } = static () => null;

    /// <summary>
    /// On an update, what the client did not touch: keeps what the cluster allocated, drops what the object cannot have any
    /// more. First the stored object, then the next.
    /// </summary>
    public Action<JsonObject, JsonObject> Carry { get; init; } = static (_, _) => { };

    /// <summary>Refuses what cannot be; the first argument is the stored object, null on create.</summary>
    public Action<JsonObject?, JsonObject, Causes> Validate { get; init; } = static (_, _, _) => { };

    /// <summary>Sentences for the client: what is stored, and not served or not sensible.</summary>
    public Func<JsonObject, IEnumerable<string>> Warn { get; init; } = static _ => [];

    /// <summary>For kinds of the store whose deletion takes time: marks the object as ending. Null: removed at once.</summary>
    public Action<JsonObject>? StartDeletion { get; init; }

    /// <summary>A deletion is answered with the object as it last was, as Kubernetes does for this kind; otherwise with a Status.</summary>
    public bool ReturnsDeleted { get; init; }

    /// <summary>Names of objects that may not be deleted.</summary>
    public ImmutableHashSet<string> Undeletable { get; init; } = [];

    public required ImmutableArray<TableColumn> Columns { get; init; }

    /// <summary>The cells of one object's row, parallel to <see cref="Columns"/>.</summary>
    public required Func<JsonElement, DateTimeOffset, string[]> Cells { get; init; }

    /// <summary>Fields that a field selector may name, beside <c>metadata.name</c> and <c>metadata.namespace</c>.</summary>
    public ImmutableArray<string> SelectableFields { get; init; } = [];

    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>The resource as error messages name it: <c>ingresses.networking.k8s.io</c>.</summary>
    public string Qualified => Group.Length == 0 ? Plural : $"{Plural}.{Group}";

    public string QualifiedKind => Group.Length == 0 ? Kind : $"{Kind}.{Group}";

    public string ListKind => $"{Kind}List";

    public bool IsWritable => WrittenBy is WrittenBy.Grain or WrittenBy.Store;

    public ImmutableArray<string> Verbs => WrittenBy switch
    {
        WrittenBy.Grain or WrittenBy.Store => ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
        WrittenBy.Others => ["get", "list", "watch"],
        WrittenBy.Derived => ["get", "list"],
        WrittenBy.Nobody => ["create"],
        _ => throw new UnreachableException(),
    };

    /// <summary>Whether the objects of this namespace are made when they are read.</summary>
    public bool IsDerivedIn(string ns) => Derived is { } derived && ns == derived.Namespace;

    public ObjectKey Key(string ns, string name) => new(Group, Kind, ns, name);
}

/// <summary>Objects each of which is made, when it is read, from the object of the same name of another kind.</summary>
/// <param name="From">A kind without namespaces.</param>
/// <param name="Namespace">Where they are shown, and no others can be; empty for a kind without namespaces.</param>
public sealed record Derivation(Resource From, string Namespace, Func<JsonElement, DateTimeOffset, JsonObject> Make);

/// <summary>Who commits the objects of a kind.</summary>
public abstract record WrittenBy
{
    private WrittenBy()
    {
    }

    /// <summary>The object's own grain, found by <c>namespace/name</c>.</summary>
    public sealed record Grain(Func<IGrainFactory, string, IObjectGrain> Find) : WrittenBy;

    /// <summary>The ApiServer itself.</summary>
    public sealed record Store : WrittenBy;

    /// <summary>Parts of Mesh; clients only read.</summary>
    public sealed record Others : WrittenBy;

    /// <summary>Nobody stores them: all are <see cref="Resource.Derived"/>.</summary>
    public sealed record Derived : WrittenBy;

    /// <summary>Nobody keeps them: each is a question, created to be answered.</summary>
    /// <param name="Answer">The status of a question.</param>
    public sealed record Nobody(Func<JsonObject, JsonObject> Answer) : WrittenBy;
}
