-- needs: xml_members, xml_references_known, xml_tag_valid, xml_text
-- An XML document as a JSON value: an element is an object of its attributes ('@name'), its text ('#text') and its child elements, or its text
-- alone; elements of the same name make an array; values stay strings. NULL for what is not well-formed.
-- Comments, processing instructions and the document type are passed over.
-- Kusto: "parse_xml()".
CREATE OR REPLACE TEMP MACRO parse_xml_text(text_) AS (
    list_transform(
        [list_reduce(
            list_transform(
                regexp_extract_all(coalesce(text_, ''), '<!--(?s:.*?)-->|<!\[CDATA\[(?s:.*?)\]\]>|<\?(?s:.*?)\?>|<![^\[>]*\[[^\]]*\][^>]*>|<(?:[^<>"'']|"[^"]*"|''[^'']*'')*>|[^<]+|<'),
                lambda xml_token_: {'open': []::VARCHAR[], 'found': []::STRUCT("depth" BIGINT, "key" VARCHAR, "value" JSON)[], 'token': xml_token_, 'valid': true}
            ),
            lambda xml_done_, xml_next_: CASE
                WHEN NOT xml_done_.valid THEN xml_done_
                WHEN starts_with(xml_next_.token, '<![CDATA[') OR NOT starts_with(xml_next_.token, '<') THEN {
                    'open': xml_done_.open,
                    'found': CASE WHEN trim(xml_next_.token, chr(9) || chr(10) || chr(13) || ' ') = '' THEN xml_done_.found ELSE list_append(xml_done_.found, {
                        'depth': len(xml_done_.open),
                        'key': '#text',
                        'value': to_json(CASE WHEN starts_with(xml_next_.token, '<') THEN substring(xml_next_.token, 10, length(xml_next_.token) - 12)
                            ELSE trim(xml_text(xml_next_.token), chr(9) || chr(10) || chr(13) || ' ') END)
                    }) END,
                    'token': '',
                    'valid': (len(xml_done_.open) > 0 OR trim(xml_next_.token, chr(65279) || chr(9) || chr(10) || chr(13) || ' ') = '')
                        AND (starts_with(xml_next_.token, '<') OR xml_references_known(xml_next_.token))
                }
                WHEN regexp_matches(xml_next_.token, '^<[!?]') THEN xml_done_
                WHEN starts_with(xml_next_.token, '</') THEN {
                    'open': xml_done_.open[:-2],
                    'found': list_append(
                        list_filter(xml_done_.found, lambda xml_outer_: xml_outer_.depth < len(xml_done_.open)),
                        {
                            'depth': len(xml_done_.open) - 1,
                            'key': xml_done_.open[-1],
                            'value': xml_members(list_filter(xml_done_.found, lambda xml_inner_: xml_inner_.depth = len(xml_done_.open)))
                        }
                    ),
                    'token': '',
                    'valid': coalesce(xml_done_.open[-1] = regexp_extract(xml_next_.token, '^</\s*([^\s>]+)', 1), false)
                }
                ELSE list_transform(
                    [{
                        'name': regexp_extract(xml_next_.token, '^<([^\s/>]+)', 1),
                        'attributes': list_transform(
                            list_zip(
                                regexp_extract_all(xml_next_.token, '\s([^\s=/>"'']+)\s*=\s*(?:"[^"]*"|''[^'']*'')', 1),
                                regexp_extract_all(xml_next_.token, '\s[^\s=/>"'']+\s*=\s*("[^"]*"|''[^'']*'')', 1)
                            ),
                            lambda xml_attribute_: {'depth': len(xml_done_.open) + 1, 'key': '@' || xml_attribute_[1], 'value': to_json(xml_text(substring(xml_attribute_[2], 2, length(xml_attribute_[2]) - 2)))}
                        )
                    }],
                    lambda xml_tag_: CASE WHEN ends_with(xml_next_.token, '/>') THEN {
                        'open': xml_done_.open,
                        'found': list_append(xml_done_.found, {'depth': len(xml_done_.open), 'key': xml_tag_.name, 'value': xml_members(xml_tag_.attributes)}),
                        'token': '',
                        'valid': xml_tag_valid(xml_next_.token) AND len(xml_tag_.attributes) = list_unique(list_transform(xml_tag_.attributes, lambda xml_named_: xml_named_.key))
                    } ELSE {
                        'open': list_append(xml_done_.open, xml_tag_.name),
                        'found': list_concat(xml_done_.found, xml_tag_.attributes),
                        'token': '',
                        'valid': xml_tag_valid(xml_next_.token) AND len(xml_tag_.attributes) = list_unique(list_transform(xml_tag_.attributes, lambda xml_named_: xml_named_.key))
                    } END
                )[1]
            END,
            {'open': []::VARCHAR[], 'found': []::STRUCT("depth" BIGINT, "key" VARCHAR, "value" JSON)[], 'token': '', 'valid': true}
        )],
        lambda xml_end_: CASE WHEN xml_end_.valid AND len(xml_end_.open) = 0 AND len(xml_end_.found) = 1 THEN json_object(xml_end_.found[1].key, xml_end_.found[1].value) END
    )[1]
);
