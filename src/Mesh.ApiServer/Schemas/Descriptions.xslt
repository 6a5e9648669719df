<?xml version="1.0" encoding="utf-8"?>
<!-- Of the documentation of the KubernetesClient package: one line for each type and field of a stable version, name and text. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:output method="text" encoding="utf-8" />
  <xsl:template match="/">
    <xsl:for-each select="doc/members/member[starts-with(@name, 'T:k8s.Models.') or starts-with(@name, 'P:k8s.Models.')]">
      <xsl:variable name="name" select="substring-after(@name, 'k8s.Models.')" />
      <xsl:if test="not(contains($name, '1alpha') or contains($name, '1beta') or contains($name, '2beta'))">
        <!-- Not xsl:text: text of white space only is lost when MSBuild reads this file. -->
        <xsl:value-of select="concat($name, '&#9;', normalize-space(summary), '&#10;')" />
      </xsl:if>
    </xsl:for-each>
  </xsl:template>
</xsl:stylesheet>
