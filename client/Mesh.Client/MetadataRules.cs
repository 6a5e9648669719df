using Mesh.Client.Names;

namespace Mesh.Client;

/// <summary>What a node takes as labels and annotations, told before it is asked.</summary>
internal static class MetadataRules
{
    public static IEnumerable<string> LabelProblems(string field, IEnumerable<KeyValuePair<string, string?>> labels) =>
        KeyProblems(field, labels).Concat(labels
            .Where(label => label.Value is not null && !MetadataNames.IsLabelValue(label.Value))
            .Select(label => $"{field}: '{label.Value}' is not a valid value of '{label.Key}'."));

    public static IEnumerable<string> AnnotationProblems(string field, IEnumerable<KeyValuePair<string, string?>> annotations) =>
        KeyProblems(field, annotations).Concat(annotations
            .Where(annotation => annotation.Key.StartsWith(MetadataNames.OwnPrefix, StringComparison.Ordinal))
            .Select(annotation => $"{field}: '{annotation.Key}' is Mesh's own."));

    private static IEnumerable<string> KeyProblems(string field, IEnumerable<KeyValuePair<string, string?>> pairs) => pairs
        .Where(pair => !MetadataNames.IsQualifiedName(pair.Key))
        .Select(pair => $"{field}: '{pair.Key}' is not a valid key.");
}
