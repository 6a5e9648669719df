using Mesh.Core.Names;
using Mesh.Storage.Caching;

namespace Mesh.Storage;

/// <summary>One object as stored. The document is complete UTF-8 JSON, resourceVersion included, never changed in place.</summary>
/// <param name="CreatedVersion">resourceVersion of the write that created it; smaller means older.</param>
/// <param name="IsDeleting"><c>metadata.deletionTimestamp</c> is set (or, for a Namespace, its phase is Terminating).</param>
public sealed record StoredObject(ObjectKey Key, string Uid, long ResourceVersion, long CreatedVersion, bool IsDeleting, ReadOnlyMemory<byte> Document)
{
    private DocumentFacts _facts;

    public ReadOnlyMemory<byte> Document
    {
        get;
        init
        {
            field = value;
            _facts = default; // a copy with another document is read anew
        }
    } = Document;

    /// <summary>The value of a label, null when the object has none of that key. Read once for all who ask.</summary>
    public string? Label(string key) => _facts.Label(Document, key);

    /// <summary>Its <c>metadata.ownerReferences</c>. Read once for all who ask.</summary>
    public IReadOnlyList<OwnerReference> Owners => _facts.Owners(Document);

    /// <summary>
    /// The value at a path such as <c>spec.nodeName</c>: a text as it is, numbers and booleans as written, empty for anything
    /// else. Read once for all who ask, and kept: for paths of which there are few.
    /// </summary>
    public string Field(string path) => _facts.Field(Document, path);
}
